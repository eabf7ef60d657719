#include "model/call_directory.h"

namespace offhook::model {

std::string_view name_of(CallState state) noexcept {
    switch (state) {
        case CallState::Incoming:
            return "incoming";
        case CallState::Dialing:
            return "dialing";
        case CallState::Ringing:
            return "ringing";
        case CallState::Answered:
            return "answered";
        case CallState::Held:
            return "held";
        case CallState::Ending:
            return "ending";
        case CallState::Ended:
            break;
    }
    return "ended";
}

std::string_view name_of(RingCentralCommand::State state) noexcept {
    switch (state) {
        case RingCentralCommand::State::Pending:
            return "pending";
        case RingCentralCommand::State::Done:
            return "done";
        case RingCentralCommand::State::Failed:
            break;
    }
    return "failed";
}

std::string_view name_of(CallDirection direction) noexcept {
    return direction == CallDirection::Inbound ? "inbound" : "outbound";
}

}  // namespace offhook::model
