#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/server_websocket.h"

namespace offhook::connection {

/// What a WebSocket is for. `Channel`: a browser in a voice channel; `Browser`: a call by our own
/// signalling; `Monitor`: pages and readers of events; `Ai`: a bot.
enum class Kind : std::uint8_t { Channel, Browser, Monitor, Ai };
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
[[nodiscard]] std::optional<Kind> kind(std::string_view name) noexcept;

enum class State : std::uint8_t { Connecting, Live, Closing, Broken };
[[nodiscard]] std::string_view name_of(State state) noexcept;

/// Why a connection ended; decided where it happened.
enum class EndReason : std::uint8_t {
    Client,    ///< it closed
    Replaced,  ///< the same user came again
    Stale,     ///< it answered no ping in time
    Broken,    ///< writing failed, it broke the protocol, TCP is gone
    Slow,      ///< it did not read, and its queue was full
    HalfOpen,  ///< it never said what it wants
    Limit,     ///< too many, too much
    Removed,   ///< by the API
    Left,      ///< what it was for is over
    Lost,      ///< the store of places gave its place away, or was away for too long
    Shutdown,
};
[[nodiscard]] std::string_view name_of(EndReason reason) noexcept;  ///< "half-open" ...

/// The close code that a client is told (RFC 6455 §7.4.2, private use): 4000 replaced, 4001 stale,
/// 4002 slow, 4003 half-open, 4004 limit, 4005 removed, 4006 left; 1001 for shutdown and lost,
/// 1002 broken.
[[nodiscard]] int close_code(EndReason reason) noexcept;

/// Of a server's WebSocket that ended by itself.
[[nodiscard]] EndReason reason_of(http::WebSocketEnd how) noexcept;

/// What is known of a connection when it comes. Strings as they came: bounded, not escaped.
struct Facts {
    Kind kind = Kind::Monitor;
    std::string user{}, channel{};  ///< empty: not known yet, or none
    std::string address{};          ///< "127.0.0.1:51000"
    std::string forwarded_for{};    ///< behind a configured proxy; empty: none
    std::string user_agent{};
    std::string protocol{};  ///< negotiated subprotocol, or the AI's protocol
};

/// What went through it until now.
using Traffic = http::WebSocketTraffic;

/// Whoever owns the socket.
/// @thread control
class Socket {
public:
    /// Asked for the last time within `Registry::ended`.
    [[nodiscard]] virtual Traffic traffic() const = 0;
    /// Tells the client why and closes; `Registry::ended` follows, at once or from the loop. One
    /// that does not within a second is cut: this comes again, with `must_cut`.
    virtual void end(EndReason why, const std::string& detail, bool must_cut) = 0;

protected:
    ~Socket() = default;
};

}  // namespace offhook::connection
