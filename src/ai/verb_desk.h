#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "ai/bot_settings.h"
#include "ai/bot_verb.h"

namespace offhook::ai {

/// Whether the route lets its bot do this.
[[nodiscard]] bool allows(const BotSettings& settings, BotVerb verb) noexcept;

/// What a call's bot asked for and has not been told the end of. Bounded, in number and in time.
/// @thread the ai thread
class VerbDesk {
public:
    static constexpr std::size_t kMostPending = 64;
    static constexpr int kMostPerSecond = 20;

    /// Where a request stands.
    enum class Stage { AfterSpeech, Playing, Asked };
    struct Entry {
        BotRequest request;
        Stage stage = Stage::Asked;
    };

    /// Gives the request its number. @return false: more than kMostPerSecond
    bool number(BotRequest& request, std::int64_t now_ns) noexcept;
    /// @return false: too many are pending
    bool add(const BotRequest& request, Stage stage);
    [[nodiscard]] Entry* find(std::uint64_t number) noexcept;
    std::optional<BotRequest> take(std::uint64_t number);

private:
    std::unordered_map<std::uint64_t, Entry> entries_;
    std::uint64_t last_number_ = 0;
    std::int64_t second_ns_ = 0;  ///< when the second began that is counted
    int in_second_ = 0;
};

}  // namespace offhook::ai
