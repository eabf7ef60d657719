#pragma once

#include <glib.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace offhook::signalling::sip {

enum class Transport : std::uint8_t { Udp, Tcp, Tls, Ws, Wss };

/// "udp", "tcp", "tls", "ws" or "wss", as in the configuration and logs.
[[nodiscard]] std::string_view name_of(Transport transport) noexcept;
/// The transport of a Via: "UDP", "TCP", "TLS", "WS", "WSS" (RFC 3261 §20.42, RFC 7118 §5.1).
[[nodiscard]] std::string_view via_name_of(Transport transport) noexcept;
/// The `transport` parameter of a Contact of ours: empty for UDP, "tcp", "tls", and "ws" for both
/// WebSocket kinds (RFC 7118 §5.2).
[[nodiscard]] std::string_view uri_transport_of(Transport transport) noexcept;
/// Everything but UDP: no retransmissions of requests (RFC 3261 §17).
[[nodiscard]] constexpr bool is_reliable(Transport transport) noexcept {
    return transport != Transport::Udp;
}
/// RFC 7118: one frame is one message, names of ours are `.invalid`.
[[nodiscard]] constexpr bool is_websocket(Transport transport) noexcept {
    return transport == Transport::Ws || transport == Transport::Wss;
}

/// A numeric IPv4 or IPv6 address and port.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    /// From a numeric host ("192.0.2.1", "2001:db8::1", with or without brackets); empty when it is
    /// not one.
    [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view host,
                                                            std::uint16_t port);

    [[nodiscard]] const sockaddr* raw() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] bool is_wildcard() const;
    [[nodiscard]] std::string host() const;      ///< without brackets
    [[nodiscard]] std::string uri_host() const;  ///< IPv6 in brackets
    [[nodiscard]] std::uint16_t port() const;
    void set_port(std::uint16_t port);
    [[nodiscard]] std::string text() const;  ///< "192.0.2.1:5060", "[2001:db8::1]:5060"
    [[nodiscard]] bool operator==(const SocketAddress& other) const;
};

/// One entry of `[sip] listen`: "udp:127.0.0.1:5060", "tcp:[::1]:0".
struct ListenSpec {
    Transport transport = Transport::Udp;
    SocketAddress address;

    [[nodiscard]] static base::Result<ListenSpec> parse(std::string_view text);
};

/// A way to peers from one local address: a UDP socket, or one connection. Shared by the
/// transport that owns the socket and by the transactions and dialogs that answer on it; stays
/// valid, but closed, after the socket went.
/// @thread sip
class Flow {
public:
    virtual ~Flow() = default;
    [[nodiscard]] virtual Transport transport() const = 0;
    /// Where peers reach us through this flow; never the wildcard address.
    [[nodiscard]] virtual SocketAddress local() const = 0;
    /// The account this flow registers; empty: a listener's, or one that a peer opened.
    [[nodiscard]] virtual std::string_view account() const { return {}; }
    /// Host for Via and Contact when it is not `local()`: "x7f3k2.invalid" on a WebSocket.
    [[nodiscard]] virtual std::string_view host_alias() const { return {}; }
    /// True when TLS accepts any certificate (`tls_insecure`): health and log complain.
    [[nodiscard]] virtual bool is_insecure() const { return false; }
    [[nodiscard]] virtual bool is_open() const = 0;
    /// Hands one whole message to the kernel or, TCP, to a bounded queue. False when it could not
    /// be.
    /// @param to  ignored on a connection
    virtual bool send(std::string_view message, const SocketAddress& to) = 0;
};

/// Where an answer goes (RFC 3261 §18.2.2, RFC 3581 §4), or a request of ours.
struct Path {
    std::shared_ptr<Flow> flow;
    SocketAddress to;
};

/// One message as it came off the wire; `bytes` live only during the call.
struct Received {
    std::shared_ptr<Flow> flow;
    SocketAddress from;
    std::string_view bytes;
};

/// What the transports tell the user agent.
/// @thread sip
class FlowEvents {
public:
    virtual ~FlowEvents() = default;
    virtual void on_message(const Received& received) = 0;
    /// Something arrived that is not SIP, or does not fit a bound; the transport dropped it.
    virtual void on_malformed(const SocketAddress& from, std::string_view why) = 0;
    /// A TCP connection came or went; `open` are left.
    virtual void on_connections(std::size_t open) = 0;
    /// True when `from` gets service (`[sip] allow`); counts the refusal otherwise.
    virtual bool admit(const SocketAddress& from) = 0;
};

/// The largest message we accept, headers and body together, on every transport.
inline constexpr std::size_t kMaxMessageBytes = 64 * 1024;

/// A file descriptor that closes itself.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    /// Gives the descriptor away: somebody else closes it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// A bound, non-blocking, close-on-exec socket for `spec`; `spec.address` gets the real port.
/// @param dscp  of what it sends, and of connections it accepts; 0-63
[[nodiscard]] base::Result<Fd> bind_socket(ListenSpec& spec, int dscp);

/// The address a socket is bound to, or connected from; length 0 when it has none.
[[nodiscard]] SocketAddress local_address_of(int fd);

}  // namespace offhook::signalling::sip
