#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace offhook::socket {

/// An IPv4 or IPv6 address with its port.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const noexcept { return storage.ss_family; }
    void set_port(std::uint16_t port) noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// "127.0.0.1", "::1"
    [[nodiscard]] std::string ip() const;
    /// "127.0.0.1:80", "[::1]:80"
    [[nodiscard]] std::string text() const;
};

/// An address written as digits ("127.0.0.1", "::1", without brackets); nothing when it is a name.
[[nodiscard]] std::optional<Address> parse_ip(const std::string& text, std::uint16_t port);

/// 127/8, ::1; also inside an IPv6 address that carries an IPv4 one.
[[nodiscard]] bool is_loopback(const Address& address) noexcept;

/// What a name on the internet has no business to lead to: private and shared networks (RFC 1918,
/// RFC 6598, RFC 4193), link-local, unspecified, multicast and reserved addresses; also inside an
/// IPv6 address that carries an IPv4 one (RFC 4291 §2.5.5, RFC 6052 §2.1). Loopback is none.
[[nodiscard]] bool is_private(const Address& address) noexcept;

}  // namespace offhook::socket
