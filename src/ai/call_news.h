#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "ai/bot_verb.h"
#include "model/call_end.h"

namespace offhook::ai {

/// A key the caller pressed: RFC 4733, or a SIP INFO.
struct DigitNews {
    char digit = '0';  ///< 0-9 * # A-D
    unsigned duration_ms = 0;
};
/// The caller put us on hold or came back, or we did.
struct HoldNews {
    bool is_held = false;
    bool is_by_us = false;
};
/// What became of a verb that control took on.
struct VerbNews {
    std::uint64_t number = 0;  ///< BotRequest::number
    bool is_final = true;      ///< false: it is under way, `detail` says how far
    bool is_done = false;
    std::string detail{};  ///< why not, or the far end's words ("180 Ringing")
};
/// The call is over, or the AI is taken off it; it is told before it goes.
struct EndNews {
    model::EndReason reason = model::EndReason::CallerHangup;
};

/// An operator ends the bot's socket; it comes back by its own rules.
struct DropNews {
    std::uint64_t connection = 0;  ///< AiStats::connections; of another one nothing ends
    std::string why{};             ///< a sentence
};

using CallNews = std::variant<DigitNews, HoldNews, VerbNews, EndNews, DropNews>;

}  // namespace offhook::ai
