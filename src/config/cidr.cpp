#include "config/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/escape.h"

namespace offhook::config {
namespace {

constexpr int kMappedPrefix = 96;

bool is_mapped(const std::uint8_t* b) noexcept {
    return std::all_of(b, b + 10, [](std::uint8_t x) { return x == 0; }) && b[10] == 0xFF &&
           b[11] == 0xFF;
}

// Keeps the first `prefix` bits.
void clear_behind(std::array<std::uint8_t, 16>& bytes, int prefix) noexcept {
    for (int i = 0; i < 16; ++i) {
        const int kept = std::clamp(prefix - i * 8, 0, 8);
        bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xFF00U >> kept);
    }
}

}  // namespace

Cidr::Address Cidr::unmapped(const std::uint8_t* sixteen) noexcept {
    Address a;
    if (is_mapped(sixteen)) {
        std::memcpy(a.bytes.data(), sixteen + 12, 4);
        a.bits = 32;
    } else {
        std::memcpy(a.bytes.data(), sixteen, 16);
        a.bits = 128;
    }
    return a;
}

Cidr::Address Cidr::address_of(const sockaddr* address) noexcept {
    Address a;
    if (address == nullptr) return a;
    if (address->sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        std::memcpy(a.bytes.data(), &in.sin_addr, 4);
        a.bits = 32;
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 in6{};
        std::memcpy(&in6, address, sizeof in6);
        a = unmapped(in6.sin6_addr.s6_addr);
    }
    return a;
}

Cidr::Address Cidr::address_of(std::string_view numeric) {
    if (numeric.size() > 2 && numeric.front() == '[' && numeric.back() == ']') {
        numeric = numeric.substr(1, numeric.size() - 2);
    }
    if (numeric.size() >= INET6_ADDRSTRLEN) return {};
    const std::string text(numeric);
    Address a;
    if (inet_pton(AF_INET, text.c_str(), a.bytes.data()) == 1) {
        a.bits = 32;
        return a;
    }
    if (inet_pton(AF_INET6, text.c_str(), a.bytes.data()) == 1) {
        const auto bytes = a.bytes;
        return unmapped(bytes.data());
    }
    return {};
}

base::Result<Cidr> Cidr::parse(std::string_view text) {
    const auto refuse = [&](const std::string& why) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "\"" + base::escape_untrusted(text, 64) + "\" " + why);
    };
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    Cidr cidr;
    cidr.base_ = address_of(host);
    if (cidr.base_.bits == 0)
        return refuse("is not an address block such as 10.0.0.0/8 or fd00::/8");
    cidr.prefix_ = cidr.base_.bits;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        int prefix = -1;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
        const bool is_number = error == std::errc{} && end == digits.data() + digits.size();
        const bool written_mapped =
            cidr.base_.bits == 32 && host.find(':') != std::string_view::npos;
        if (written_mapped) prefix -= kMappedPrefix;
        if (!is_number || prefix < 0 || prefix > cidr.base_.bits) {
            return refuse("has a prefix length outside 0 to " +
                          std::to_string(written_mapped ? 128 : cidr.base_.bits));
        }
        cidr.prefix_ = prefix;
    }
    const Address written = cidr.base_;
    clear_behind(cidr.base_.bytes, cidr.prefix_);
    if (cidr.base_.bytes != written.bytes) {
        return refuse("has bits set behind its prefix; write " + cidr.text());
    }
    return cidr;
}

bool Cidr::contains(const Address& address) const noexcept {
    if (address.bits != base_.bits || address.bits == 0) return false;
    auto bytes = address.bytes;
    clear_behind(bytes, prefix_);
    return bytes == base_.bytes;
}

bool Cidr::contains(const sockaddr* address) const noexcept {
    return contains(address_of(address));
}

bool Cidr::contains(std::string_view numeric) const {
    return contains(address_of(numeric));
}

std::string Cidr::text() const {
    std::array<char, INET6_ADDRSTRLEN> host{};
    inet_ntop(base_.bits == 32 ? AF_INET : AF_INET6, base_.bytes.data(), host.data(), host.size());
    return std::string(host.data()) + "/" + std::to_string(prefix_);
}

bool contains_any(std::span<const Cidr> blocks, const sockaddr* address) noexcept {
    return std::any_of(
        blocks.begin(), blocks.end(), [&](const Cidr& c) { return c.contains(address); });
}

bool contains_any(std::span<const Cidr> blocks, std::string_view numeric) {
    return std::any_of(
        blocks.begin(), blocks.end(), [&](const Cidr& c) { return c.contains(numeric); });
}

}  // namespace offhook::config
