#include "media/stun_message.h"

#include <algorithm>
#include <cstring>

namespace offhook::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;
constexpr std::uint16_t kBindingError = 0x0111;
constexpr std::array<std::uint8_t, 4> kMagicCookie{0x21, 0x12, 0xA4, 0x42};
constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kXorMappedAddress = 0x0020;
/// From here on an attribute may be left unread (RFC 8489 §14).
constexpr std::uint16_t kFirstOptional = 0x8000;
/// Those below that RFC 8489 §18.3 lists.
constexpr std::array<std::uint16_t, 14> kKnown{0x0001,
                                               0x0006,
                                               0x0008,
                                               0x0009,
                                               0x000A,
                                               0x0014,
                                               0x0015,
                                               0x001C,
                                               0x001D,
                                               0x001E,
                                               0x0020,
                                               0x0002,
                                               0x0003,
                                               0x0004};
constexpr int kUnusable = 1;

std::uint16_t load16(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

/// §14.2: the port is xored with the cookie's head, the address with cookie and transaction.
session::Endpoint read_mapped(Bytes value, const StunTransaction& transaction) {
    constexpr std::uint8_t kIpv4 = 1;
    constexpr std::uint8_t kIpv6 = 2;
    constexpr std::size_t kAddressAt = 4;
    if (value.size() < kAddressAt) return {};
    std::array<std::uint8_t, 16> mask{};
    std::copy(kMagicCookie.begin(), kMagicCookie.end(), mask.begin());
    std::copy(transaction.begin(), transaction.end(), mask.begin() + kMagicCookie.size());
    std::array<std::uint8_t, 16> address{};
    const std::size_t size = value.size() - kAddressAt;
    if (!(value[1] == kIpv4 && size == 4) && !(value[1] == kIpv6 && size == 16)) return {};
    for (std::size_t i = 0; i < size; ++i) {
        address[i] = static_cast<std::uint8_t>(value[kAddressAt + i] ^ mask[i]);
    }
    const auto port =
        static_cast<std::uint16_t>(load16(value, 2) ^ (kMagicCookie[0] << 8 | kMagicCookie[1]));
    sockaddr_storage storage{};
    if (size == 4) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, address.data(), size);
        const std::uint32_t host = ntohl(v4.sin_addr.s_addr);
        if (host == 0 || host >> 28 >= 0xE) return {};  // unspecified, multicast, broadcast
        return session::Endpoint::from(storage, sizeof v4);
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.data(), size);
    if (IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) || address[0] == 0xFF) return {};
    return session::Endpoint::from(storage, sizeof v6);
}

int read_error_code(Bytes value) {
    if (value.size() < 4) return kUnusable;
    const int code = (value[2] & 7) * 100 + value[3] % 100;
    return code >= 300 ? code : kUnusable;
}

}  // namespace

std::array<std::uint8_t, kStunHeaderBytes> stun_binding_request(
    const StunTransaction& transaction) {
    std::array<std::uint8_t, kStunHeaderBytes> request{};
    request[1] = kBindingRequest;
    std::copy(kMagicCookie.begin(), kMagicCookie.end(), request.begin() + 4);
    std::copy(transaction.begin(), transaction.end(), request.begin() + 8);
    return request;
}

std::optional<StunAnswer> parse_stun_answer(Bytes datagram, const StunTransaction& transaction) {
    if (datagram.size() < kStunHeaderBytes) return std::nullopt;
    const std::uint16_t type = load16(datagram, 0);
    const bool is_answer =
        (type == kBindingSuccess || type == kBindingError) &&
        load16(datagram, 2) == datagram.size() - kStunHeaderBytes && datagram.size() % 4 == 0 &&
        std::equal(kMagicCookie.begin(), kMagicCookie.end(), datagram.begin() + 4) &&
        std::equal(transaction.begin(), transaction.end(), datagram.begin() + 8);
    if (!is_answer) return std::nullopt;
    StunAnswer answer;
    bool is_understood = true;
    for (Bytes rest = datagram.subspan(kStunHeaderBytes); !rest.empty();) {
        if (rest.size() < 4) return std::nullopt;
        const std::uint16_t attribute = load16(rest, 0);
        const std::size_t size = load16(rest, 2);
        const std::size_t padded = (size + 3) / 4 * 4;
        if (padded > rest.size() - 4) return std::nullopt;
        const Bytes value = rest.subspan(4, size);
        rest = rest.subspan(4 + padded);
        // Of an attribute that comes twice the first counts (§14).
        if (attribute == kXorMappedAddress && type == kBindingSuccess && !answer.mapped.is_set()) {
            answer.mapped = read_mapped(value, transaction);
        } else if (attribute == kErrorCode && type == kBindingError && answer.error_code == 0) {
            answer.error_code = read_error_code(value);
        } else if (attribute < kFirstOptional &&
                   std::find(kKnown.begin(), kKnown.end(), attribute) == kKnown.end()) {
            is_understood = false;
        }
    }
    if (type == kBindingError && answer.error_code == 0) answer.error_code = kUnusable;
    if (type == kBindingSuccess && (!is_understood || !answer.mapped.is_set())) {
        answer.mapped = session::Endpoint();
        answer.error_code = kUnusable;
    }
    return answer;
}

}  // namespace offhook::media
