#include "connection/connection.h"

namespace offhook::connection {

std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::Channel:
            return "channel";
        case Kind::Browser:
            return "browser";
        case Kind::Monitor:
            return "monitor";
        case Kind::Ai:
            break;
    }
    return "ai";
}

std::optional<Kind> kind(std::string_view name) noexcept {
    for (const Kind each : {Kind::Channel, Kind::Browser, Kind::Monitor, Kind::Ai}) {
        if (name == name_of(each)) return each;
    }
    return std::nullopt;
}

std::string_view name_of(State state) noexcept {
    switch (state) {
        case State::Connecting:
            return "connecting";
        case State::Live:
            return "live";
        case State::Closing:
            return "closing";
        case State::Broken:
            break;
    }
    return "broken";
}

std::string_view name_of(EndReason reason) noexcept {
    switch (reason) {
        case EndReason::Client:
            return "client";
        case EndReason::Replaced:
            return "replaced";
        case EndReason::Stale:
            return "stale";
        case EndReason::Broken:
            return "broken";
        case EndReason::Slow:
            return "slow";
        case EndReason::HalfOpen:
            return "half-open";
        case EndReason::Limit:
            return "limit";
        case EndReason::Removed:
            return "removed";
        case EndReason::Left:
            return "left";
        case EndReason::Lost:
            return "lost";
        case EndReason::Shutdown:
            break;
    }
    return "shutdown";
}

int close_code(EndReason reason) noexcept {
    switch (reason) {
        case EndReason::Client:
            return 1000;
        case EndReason::Replaced:
            return 4000;
        case EndReason::Stale:
            return 4001;
        case EndReason::Slow:
            return 4002;
        case EndReason::HalfOpen:
            return 4003;
        case EndReason::Limit:
            return 4004;
        case EndReason::Removed:
            return 4005;
        case EndReason::Left:
            return 4006;
        case EndReason::Broken:
            return 1002;
        case EndReason::Lost:
        case EndReason::Shutdown:
            break;
    }
    return 1001;
}

EndReason reason_of(http::WebSocketEnd how) noexcept {
    switch (how) {
        case http::WebSocketEnd::Broken:
            return EndReason::Broken;
        case http::WebSocketEnd::Silent:
            return EndReason::Stale;
        case http::WebSocketEnd::Slow:
            return EndReason::Slow;
        case http::WebSocketEnd::TooLarge:
            return EndReason::Limit;
        case http::WebSocketEnd::None:
        case http::WebSocketEnd::Closed:
            break;
    }
    return EndReason::Client;
}

}  // namespace offhook::connection
