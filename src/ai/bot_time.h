#pragma once

#include <cstdint>
#include <deque>

namespace offhook::ai {

/// The bot's positions in a playout that plays prompts too: the bot counts its own samples only,
/// wherever a prompt came between. Positions are samples at the bot's rate.
class BotTime {
public:
    /// A prompt of `samples` was put at `position` of the playout, at or behind all before.
    void add_prompt(std::uint64_t position, std::uint64_t samples);
    /// What the bot calls this position of the playout; within a prompt where it began.
    [[nodiscard]] std::uint64_t of(std::uint64_t position) const noexcept;
    /// Positions before this one are not asked for any more.
    void forget_before(std::uint64_t position) noexcept;

private:
    struct Prompt {
        std::uint64_t from;
        std::uint64_t samples;
    };
    std::deque<Prompt> prompts_;      ///< in order
    std::uint64_t gone_samples_ = 0;  ///< of prompts that were forgotten
};

}  // namespace offhook::ai
