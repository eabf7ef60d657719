#include "socket/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace offhook::socket {
namespace {

using V6 = std::array<std::uint8_t, 16>;

const sockaddr_in& v4(const Address& address) noexcept {
    return *reinterpret_cast<const sockaddr_in*>(&address.storage);
}
const sockaddr_in6& v6(const Address& address) noexcept {
    return *reinterpret_cast<const sockaddr_in6*>(&address.storage);
}

V6 bytes_of(const Address& address) noexcept {
    V6 bytes{};
    std::memcpy(bytes.data(), v6(address).sin6_addr.s6_addr, bytes.size());
    return bytes;
}

/// The IPv4 address that is dialled in the end, in host order.
std::optional<std::uint32_t> inner_v4(const Address& address) noexcept {
    if (address.family() == AF_INET) return ntohl(v4(address).sin_addr.s_addr);
    const V6 bytes = bytes_of(address);
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0};
    const auto begins = [&](const auto& with) {
        return std::equal(with.begin(), with.end(), bytes.begin());
    };
    if (!begins(kMapped) && !begins(kNat64)) return std::nullopt;
    return (static_cast<std::uint32_t>(bytes[12]) << 24U) |
           (static_cast<std::uint32_t>(bytes[13]) << 16U) |
           (static_cast<std::uint32_t>(bytes[14]) << 8U) | static_cast<std::uint32_t>(bytes[15]);
}

bool is_in(std::uint32_t ip, std::uint32_t network, unsigned bits) noexcept {
    return (ip >> (32U - bits)) == (network >> (32U - bits));
}

}  // namespace

void Address::set_port(std::uint16_t port) noexcept {
    // The port stands at the same place in both.
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
}

std::uint16_t Address::port() const noexcept {
    return ntohs(v4(*this).sin_port);
}

std::string Address::ip() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* const from = family() == AF_INET ? static_cast<const void*>(&v4(*this).sin_addr)
                                                 : static_cast<const void*>(&v6(*this).sin6_addr);
    return ::inet_ntop(family(), from, text.data(), text.size()) != nullptr ? text.data() : "?";
}

std::string Address::text() const {
    const std::string host = family() == AF_INET6 ? "[" + ip() + "]" : ip();
    return host + ":" + std::to_string(port());
}

std::optional<Address> parse_ip(const std::string& text, std::uint16_t port) {
    Address address;
    auto* const as_v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* const as_v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET, text.c_str(), &as_v4->sin_addr) == 1) {
        as_v4->sin_family = AF_INET;
        address.length = sizeof *as_v4;
    } else if (::inet_pton(AF_INET6, text.c_str(), &as_v6->sin6_addr) == 1) {
        as_v6->sin6_family = AF_INET6;
        address.length = sizeof *as_v6;
    } else {
        return std::nullopt;
    }
    address.set_port(port);
    return address;
}

bool is_loopback(const Address& address) noexcept {
    if (const auto ip = inner_v4(address)) return is_in(*ip, 0x7F000000U, 8);
    V6 loopback{};
    loopback[15] = 1;
    return bytes_of(address) == loopback;
}

bool is_private(const Address& address) noexcept {
    if (const auto ip = inner_v4(address)) {
        return is_in(*ip, 0x00000000U, 8) || is_in(*ip, 0x0A000000U, 8) ||
               is_in(*ip, 0x64400000U, 10) || is_in(*ip, 0xA9FE0000U, 16) ||
               is_in(*ip, 0xAC100000U, 12) || is_in(*ip, 0xC0A80000U, 16) ||
               is_in(*ip, 0xE0000000U, 3);
    }
    const V6 bytes = bytes_of(address);
    const bool is_unspecified =
        std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    return is_unspecified || (bytes[0] & 0xFEU) == 0xFCU ||
           (bytes[0] == 0xFEU && (bytes[1] & 0x80U) != 0) || bytes[0] == 0xFFU;
}

}  // namespace offhook::socket
