#include "ai/bot_verb.h"

namespace offhook::ai {

std::string_view name_of(BotVerb verb) noexcept {
    switch (verb) {
        case BotVerb::HangUp:
            return "hang-up";
        case BotVerb::Transfer:
            return "transfer";
        case BotVerb::SendDigits:
            return "dtmf";
        case BotVerb::PlayPrompt:
            return "prompt";
        case BotVerb::Hold:
        case BotVerb::Resume:
            return "hold";
    }
    return "hang-up";
}

}  // namespace offhook::ai
