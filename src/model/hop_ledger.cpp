#include "model/hop_ledger.h"

namespace offhook::model {

std::string_view name_of(Hop hop) noexcept {
    switch (hop) {
        case Hop::CallerRtpIn:
            return "caller-rtp-in";
        case Hop::Accepted:
            return "accepted";
        case Hop::Decoded:
            return "decoded";
        case Hop::HandedToAi:
            return "handed-to-ai";
        case Hop::TakenFromAi:
            return "taken-from-ai";
        case Hop::Queued:
            return "queued";
        case Hop::Encoded:
            return "encoded";
        case Hop::Sent:
            return "sent";
        case Hop::Acknowledged:
            return "acknowledged";
    }
    return "caller-rtp-in";
}

std::string_view name_of(HopState state) noexcept {
    switch (state) {
        case HopState::Ok:
            return "ok";
        case HopState::Idle:
            return "idle";
        case HopState::Broken:
            return "broken";
        case HopState::Unknown:
            break;
    }
    return "unknown";
}

}  // namespace offhook::model
