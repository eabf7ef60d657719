#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace offhook::ai {

/// What a bot may ask for beside being heard. Each is off until the route allows it.
enum class BotVerb : std::uint8_t { HangUp, Transfer, SendDigits, PlayPrompt, Hold, Resume };
/// The word of configuration, API, log and metrics; Hold and Resume are both "hold".
[[nodiscard]] std::string_view name_of(BotVerb verb) noexcept;

/// One such wish. Strings are as the bot wrote them, at most 512 bytes.
struct BotRequest {
    std::uint64_t number = 0;  ///< rises by one with each of a call
    BotVerb verb = BotVerb::HangUp;
    std::string argument{};  ///< Transfer: a SIP URI or user part; SendDigits; PlayPrompt: a name
    std::string correlation{};     ///< the bot's own name for it, given back to it
    bool is_after_speech = false;  ///< not before all that it said until now was played
};

}  // namespace offhook::ai
