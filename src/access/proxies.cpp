#include "access/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace offhook::access {
namespace {

constexpr std::size_t kMaxHops = 32;
constexpr char kUnreadable[] = "";

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "10.1.2.3", "10.1.2.3:80", "::1", "[::1]", "[::1]:80" -> the address as the kernel would write
/// it; empty when it is none.
std::string address_of(std::string_view text) {
    std::string_view host = text;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return {};
        const std::string_view rest = host.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
        host = host.substr(1, end - 1);
    } else if (std::count(host.begin(), host.end(), ':') == 1) {
        const std::size_t colon = host.find(':');
        if (!is_port(host.substr(colon + 1))) return {};
        host = host.substr(0, colon);
    }
    const std::string plain(host);
    in_addr four{};
    in6_addr six{};
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (inet_pton(AF_INET, plain.c_str(), &four) == 1) return plain;
    if (inet_pton(AF_INET6, plain.c_str(), &six) != 1) return {};
    // ::ffff:10.1.2.3 is the IPv4 address (RFC 4291 §2.5.5.2).
    if (IN6_IS_ADDR_V4MAPPED(&six) != 0)
        return inet_ntop(AF_INET, &six.s6_addr[12], buffer.data(), buffer.size());
    return inet_ntop(AF_INET6, &six, buffer.data(), buffer.size());
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1";
}

/// Pieces between separators that are not in a quoted string.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    bool is_quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '"') is_quoted = !is_quoted;
        if (i < text.size() && (is_quoted || text[i] != separator)) continue;
        pieces.push_back(trimmed(text.substr(begin, i - begin)));
        begin = i + 1;
    }
    return pieces;
}

/// The `for` of one element of a Forwarded header; unknown and obfuscated ones (RFC 7239 §6.2, 6.3)
/// are no addresses.
std::string for_of(std::string_view element) {
    for (const std::string_view pair : split(element, ';')) {
        if (pair.size() < 4 || (pair[0] | 0x20) != 'f' || (pair[1] | 0x20) != 'o' ||
            (pair[2] | 0x20) != 'r' || pair[3] != '=') {
            continue;
        }
        std::string_view node = pair.substr(4);
        if (node.size() >= 2 && node.front() == '"' && node.back() == '"')
            node = node.substr(1, node.size() - 2);
        return address_of(node);
    }
    return kUnreadable;
}

/// The addresses of a list, from the client's side to ours; those that cannot be read are empty.
std::vector<std::string> hops_of(std::string_view header,
                                 std::string (*address)(std::string_view)) {
    std::vector<std::string> hops;
    if (trimmed(header).empty()) return hops;
    for (const std::string_view element : split(header, ',')) hops.push_back(address(element));
    return hops;
}

}  // namespace

std::string Proxies::client_of(const std::vector<std::string>& hops) const {
    if (hops.size() > kMaxHops) return {};
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        if (hop->empty() || !config::contains_any(blocks_, std::string_view(*hop))) return *hop;
    }
    return hops.empty() ? std::string() : hops.front();
}

Client Proxies::client_of(const http::Request& request) const {
    const std::string peer = address_of(request.remote);
    const std::vector<std::string> plain = hops_of(
        request.header("x-forwarded-for"), [](std::string_view e) { return address_of(e); });
    const std::vector<std::string> standard = hops_of(request.header("forwarded"), &for_of);
    if (plain.empty() && standard.empty() && request.header("x-real-ip").empty())
        return {.address = peer, .forwarded_for = {}, .is_local = is_loopback(peer)};
    Client client{.address = peer, .forwarded_for = {}, .is_local = false};
    if (!config::contains_any(blocks_, std::string_view(peer))) return client;
    const std::string by_plain = client_of(plain);
    const std::string by_standard = client_of(standard);
    const bool do_disagree = !plain.empty() && !standard.empty() && by_plain != by_standard;
    const std::string& said = plain.empty() ? by_standard : by_plain;
    if (do_disagree || said.empty()) return client;
    client.address = client.forwarded_for = said;
    return client;
}

}  // namespace offhook::access
