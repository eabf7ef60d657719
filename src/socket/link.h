#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "socket/event_loop.h"

namespace offhook::socket {

/// How a connection came to its end, or why there was none.
struct LinkEnd {
    enum class Why : std::uint8_t {
        NotAllowed,    ///< the address is private and that is not allowed, or a foreign redirect
        Unresolved,    ///< no such name
        Unreachable,   ///< refused, no route, the proxy says no
        Timeout,       ///< the connection or its handshake took too long
        Untrusted,     ///< TLS: chain or name do not hold
        Refused,       ///< HTTP: any answer but 101; `code` is its status
        BadHandshake,  ///< a 101 that is none (RFC 6455 §4.1)
        Protocol,  ///< a frame that RFC 6455 does not know, or over a limit; closed with 1002 ...
        Silent,    ///< no pong in time
        Slow,      ///< it does not read: our queue stayed full
        Reset,     ///< gone without a close
        ClosedByPeer,  ///< `code` is its close code, 1005 when it said none; TCP: 0
        ClosedByUs,
    };
    Why why = Why::Reset;
    int code = 0;
    std::string detail;  ///< a sentence, what came from the network is escaped
};
/// Stable lower-case name ("bad-handshake"): log, metric label, API.
[[nodiscard]] std::string_view name_of(LinkEnd::Why why) noexcept;

class Link;

/// Told what happens to a link. Nothing is told after `on_closed`, nor from inside a call of Link's
/// own methods. May destroy the link from inside any of them.
/// @thread the loop's
class LinkEvents {
public:
    virtual ~LinkEvents() = default;
    virtual void on_open() = 0;
    /// A whole message, UTF-8 checked. Valid during the call.
    virtual void on_text(std::string_view text) = 0;
    /// WebSocket: a whole message. TCP: bytes as they came, cut anywhere. Valid during the call.
    virtual void on_binary(std::span<const std::byte> bytes) = 0;
    /// The end, once, also of a link that never opened.
    virtual void on_closed(const LinkEnd& end) = 0;
};

/// A connection that carries messages (WebSocket, RFC 6455) or bytes (TCP). What is sent is queued
/// up to a bound, leaves at the end of the turn and never waits.
///
///     dial --name--> connect --proxy--> TLS --101--> open --close--> closed
///
/// @thread the loop's; destroying it ends it at once, without a close frame
class Link {
public:
    virtual ~Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// @return false: not open, or the queue is full; nothing of it is sent, and it is counted.
    /// `send_text` of a TCP link sends nothing.
    virtual bool send_text(std::string_view text) = 0;
    virtual bool send_binary(std::span<const std::byte> bytes) = 0;
    /// What is queued leaves, then the close frame; `on_closed` follows within 2 s, and no message
    /// before it. TCP: the descriptor is closed once the queue is empty.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;

    [[nodiscard]] virtual bool is_open() const noexcept = 0;

    struct Counters {
        std::uint64_t sent_messages = 0, sent_bytes = 0;
        std::uint64_t received_messages = 0, received_bytes = 0;
        std::uint64_t refused_messages = 0;  ///< not taken, the queue was full
        std::size_t queued_bytes = 0;        ///< now
        std::int64_t round_trip_ns = -1;     ///< of the last ping; -1: none answered yet
        std::int64_t last_heard_ns = 0;      ///< CLOCK_MONOTONIC
    };
    [[nodiscard]] virtual const Counters& counters() const noexcept = 0;

protected:
    Link() = default;
};

/// Bounds of one link.
struct LinkLimits {
    std::size_t max_message_bytes = 1024 * 1024;      ///< received, all fragments together
    std::size_t max_queued_bytes = 256 * 1024;        ///< to be sent
    std::int64_t connect_timeout_ns = 5'000'000'000;  ///< name to 101
    /// So long nothing of the queue left, or it stayed so full that messages were refused.
    std::int64_t slow_timeout_ns = 10'000'000'000;
    /// 0: no pings. TCP: the kernel's keep-alive, in whole seconds.
    std::int64_t ping_every_ns = 20'000'000'000;
    std::int64_t pong_within_ns = 10'000'000'000;  ///< any byte heard meanwhile does as well
};

/// Where to connect, and what to say of ourselves. URLs come from configuration only.
struct DialSettings {
    std::string url;  ///< "ws://", "wss://" or "tcp://" host:port; no user, no fragment
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<std::string, base::Secret>> secret_headers;  ///< whole value, not logged
    std::string subprotocol;  ///< "" asks for none; the answer is the same or none
    std::string ca_file;      ///< PEM; empty: the system's
    std::string proxy;        ///< "http://host:port", CONNECT; empty: none
    base::Secret proxy_authorization;
    /// 10/8, 172.16/12, 192.168/16, 169.254/16, 100.64/10, fc00::/7, fe80::/10 too. Loopback always.
    /// What counts is the address that is dialled: with a proxy, the proxy's.
    bool allow_private = false;
    LinkLimits limits;
};

/// Begins to connect; `events` outlives the link, and hears of it from the next turn on.
/// A redirect is followed within the same origin, 3 times at most.
/// @errors InvalidArgument: the URL, the proxy's or a header cannot work; Io: the file of CAs
[[nodiscard]] base::Result<std::unique_ptr<Link>> dial(EventLoop& loop,
                                                       const DialSettings& settings,
                                                       LinkEvents& events);
/// The sentence why `dial` would refuse this URL; nothing when it would not.
/// @errors InvalidArgument
[[nodiscard]] base::Result<void> check_url(std::string_view url);

}  // namespace offhook::socket
