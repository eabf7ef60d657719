#include "sdp/detail/candidate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "sdp/detail/text.h"

namespace offhook::sdp::detail {
namespace {

constexpr std::size_t kMaxFoundation = 32;
constexpr std::size_t kMaxName = 128;
constexpr std::string_view kMdnsEnd = ".local";
constexpr std::array<std::string_view, 4> kTypes{"host", "srflx", "prflx", "relay"};

struct Address {
    std::string text;
    bool is_ipv6 = false;
    bool is_loopback = false;
};

std::optional<Address> address_of(const in_addr& address) {
    const std::uint32_t host = ntohl(address.s_addr);
    const std::uint32_t first = host >> 24;
    const bool is_link_local = host >> 16 == 0xa9fe;  // 169.254/16, with clouds' metadata services
    if (first == 0 || first >= 224 || is_link_local) return std::nullopt;
    std::array<char, INET_ADDRSTRLEN> text{};
    if (inet_ntop(AF_INET, &address, text.data(), text.size()) == nullptr) return std::nullopt;
    return Address{text.data(), false, first == 127};
}

std::optional<Address> address_of(const in6_addr& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        in_addr mapped{};
        std::memcpy(&mapped, &address.s6_addr[12], sizeof mapped);
        return address_of(mapped);
    }
    // The metadata service of a cloud, beside 169.254.169.254.
    static constexpr std::array<std::uint8_t, 16> kMetadata{
        0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
    if (IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address) ||
        IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_V4COMPAT(&address) ||
        std::memcmp(&address, kMetadata.data(), kMetadata.size()) == 0)
        return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) return std::nullopt;
    return Address{text.data(), true, IN6_IS_ADDR_LOOPBACK(&address) != 0};
}

std::optional<Address> read_address(const std::string& text) {
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return address_of(v4);
    if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return address_of(v6);
    return std::nullopt;
}

bool is_mdns_name(std::string_view name) {
    return name.size() > kMdnsEnd.size() && name.size() <= kMaxName &&
           same(name.substr(name.size() - kMdnsEnd.size()), kMdnsEnd) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.';
           });
}

}  // namespace

std::string Candidate::text() const {
    std::string text = "candidate:" + foundation + " 1 UDP " + std::to_string(priority) + ' ' +
                       address + ' ' + std::to_string(port) + " typ " + type;
    if (type != "host") text += is_ipv6 ? " raddr :: rport 0" : " raddr 0.0.0.0 rport 0";
    return text;
}

std::optional<Candidate> parse_candidate(std::string_view value) {
    if (value.starts_with("a=")) value.remove_prefix(2);
    constexpr std::string_view kStart = "candidate:";
    if (same(value.substr(0, kStart.size()), kStart)) value.remove_prefix(kStart.size());

    Candidate candidate;
    candidate.foundation = take(value);
    const std::string_view component = take(value);
    const std::string_view transport = take(value);
    const auto priority = number_in<std::uint32_t>(take(value), 1, UINT32_MAX);
    const std::string address(take(value));
    const auto port = number_in<std::uint16_t>(take(value), 1, 65535);
    const bool has_type = take(value) == "typ";
    const std::string_view type_word = take(value);
    const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](std::string_view known) {
        return same(known, type_word);
    });
    if (!is_word(candidate.foundation, kMaxFoundation) || component != "1" ||
        !same(transport, "UDP") || !priority || !port || !has_type || type == kTypes.end())
        return std::nullopt;
    candidate.priority = *priority;
    candidate.port = *port;
    candidate.type = *type;
    if (is_mdns_name(address)) {
        candidate.address = address;
        candidate.is_mdns = true;
        return candidate;
    }
    const auto numeric = read_address(address);
    if (!numeric) return std::nullopt;
    candidate.address = numeric->text;
    candidate.is_ipv6 = numeric->is_ipv6;
    candidate.is_loopback = numeric->is_loopback;
    return candidate;
}

}  // namespace offhook::sdp::detail
