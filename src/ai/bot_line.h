#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/bot_settings.h"
#include "ai/playout.h"
#include "model/audio_port.h"

namespace offhook::ai {

/// What a call's line plays of its AI: the bot's sound and prompts, one behind the other. The bot
/// hears of its own marks; prompts and the session's own marks go the same way unseen.
/// @thread the ai thread
class BotLine final : private Playout::Events {
public:
    class Events {
    public:
        virtual ~Events() = default;
        /// @param position  the bot's
        virtual void on_mark(const std::string& name,
                             BotProtocol::MarkEnd how,
                             std::uint64_t position) = 0;
        /// What stood before `call_back(number)` has left, or was dropped.
        virtual void on_call_back(std::uint64_t number, bool is_played) = 0;
        virtual void on_dropped(std::uint64_t from, std::uint64_t to) = 0;
        /// The bot's first sample after a silence has left.
        virtual void on_started(std::int64_t left_ns) = 0;
        virtual void on_drained() = 0;
    };

    /// @param prompts  may be null: none
    BotLine(std::shared_ptr<model::AudioPort> port,
            std::uint32_t bot_rate_hz,
            std::uint64_t limit_ms,
            std::shared_ptr<const PromptBook> prompts,
            Events& events);

    /// @return the bot's position after the last sample
    std::uint64_t play(std::span<const std::int16_t> pcm);
    /// @return false: there is no such prompt
    bool play_prompt(std::string_view name);
    void mark(std::string name);
    /// The session's own mark. At once when nothing is queued.
    void call_back(std::uint64_t number);
    void clear() { playout_.clear(); }
    void pause() { playout_.pause(); }
    void resume() { playout_.resume(); }
    [[nodiscard]] bool is_paused() const noexcept { return playout_.is_paused(); }

    /// The bot is gone: its marks come back as lost at once, its sound plays on.
    /// @return their names
    std::vector<std::string> lose_marks();

    void look(std::int64_t now_ns) { playout_.look(now_ns); }

    [[nodiscard]] std::uint64_t given() const noexcept { return playout_.totals().written; }
    [[nodiscard]] std::uint64_t played() const noexcept;
    /// Of the bot's.
    [[nodiscard]] std::uint64_t queued() const noexcept { return playout_.totals().queued; }
    /// Whether all has left, prompts too.
    [[nodiscard]] bool is_drained() const noexcept { return is_drained_; }
    [[nodiscard]] Playout::Totals totals() const noexcept { return playout_.totals(); }
    [[nodiscard]] std::uint32_t rate_hz() const noexcept { return bot_rate_hz_; }

private:
    void on_mark(const std::string& name, bool is_played, std::uint64_t position) override;
    void on_dropped(std::uint64_t from, std::uint64_t to) override;
    void on_started(std::uint64_t position, std::int64_t left_ns) override;
    void on_drained(std::uint64_t position) override;

    const std::uint32_t bot_rate_hz_;
    const std::uint32_t line_rate_hz_;
    const std::shared_ptr<const PromptBook> prompts_;
    Events& events_;
    /// Marks of the connection that is up, as the playout has them; those of earlier ones come
    /// back from it and are not among these.
    std::deque<std::string> pending_;
    std::uint64_t connection_ = 0;
    bool is_drained_ = true;
    Playout playout_;
};

}  // namespace offhook::ai
