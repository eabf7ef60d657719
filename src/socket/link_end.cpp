#include "socket/link.h"

namespace offhook::socket {

std::string_view name_of(LinkEnd::Why why) noexcept {
    switch (why) {
        case LinkEnd::Why::NotAllowed:
            return "not-allowed";
        case LinkEnd::Why::Unresolved:
            return "unresolved";
        case LinkEnd::Why::Unreachable:
            return "unreachable";
        case LinkEnd::Why::Timeout:
            return "timeout";
        case LinkEnd::Why::Untrusted:
            return "untrusted";
        case LinkEnd::Why::Refused:
            return "refused";
        case LinkEnd::Why::BadHandshake:
            return "bad-handshake";
        case LinkEnd::Why::Protocol:
            return "protocol";
        case LinkEnd::Why::Silent:
            return "silent";
        case LinkEnd::Why::Slow:
            return "slow";
        case LinkEnd::Why::Reset:
            return "reset";
        case LinkEnd::Why::ClosedByPeer:
            return "closed-by-peer";
        case LinkEnd::Why::ClosedByUs:
            return "closed-by-us";
    }
    return "reset";
}

}  // namespace offhook::socket
