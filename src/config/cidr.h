#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::config {

/// A block of IP addresses, "10.0.0.0/8" or one address. An IPv4-mapped IPv6 address
/// (::ffff:10.1.2.3, RFC 4291 §2.5.5.2) counts as the IPv4 address, on either side, so that a
/// dual-stack socket changes nothing.
class Cidr {
public:
    /// @errors InvalidArgument: not a numeric address, prefix out of range, or bits set behind the
    /// prefix
    [[nodiscard]] static base::Result<Cidr> parse(std::string_view text);

    /// @thread any. False for families other than AF_INET and AF_INET6.
    [[nodiscard]] bool contains(const sockaddr* address) const noexcept;
    /// The same for numeric text without a port ("10.1.2.3", "::1", "[::1]"); false when it is not
    /// an address.
    [[nodiscard]] bool contains(std::string_view numeric) const;

    [[nodiscard]] std::string text() const;

private:
    struct Address {
        std::array<std::uint8_t, 16> bytes{};
        int bits = 0;  ///< 32 or 128; 0: none
    };
    static Address address_of(const sockaddr* address) noexcept;
    static Address address_of(std::string_view numeric);
    static Address unmapped(const std::uint8_t* sixteen) noexcept;
    [[nodiscard]] bool contains(const Address& address) const noexcept;

    Address base_;
    int prefix_ = 0;
};

[[nodiscard]] bool contains_any(std::span<const Cidr> blocks, const sockaddr* address) noexcept;
[[nodiscard]] bool contains_any(std::span<const Cidr> blocks, std::string_view numeric);

}  // namespace offhook::config
