#include "socket/url.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace offhook::socket {
namespace {

using base::ErrorCode;
using base::fail;

bool is_alnum(char one) noexcept {
    return (one >= '0' && one <= '9') || (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z');
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& one : result) {
        if (one >= 'A' && one <= 'Z') one = static_cast<char>(one - 'A' + 'a');
    }
    return result;
}

struct Authority {
    std::string host;
    std::uint16_t port = 0;
};

/// @param own_port  0: one has to be written
base::Result<Authority> parse_authority(std::string_view text, std::uint16_t own_port) {
    if (text.find('@') != std::string_view::npos) {
        return fail(
            ErrorCode::InvalidArgument,
            "a user or password in the URL is not supported; put it into a header's secret");
    }
    Authority result;
    result.port = own_port;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) {
            return fail(ErrorCode::InvalidArgument,
                        "the URL's IPv6 address has no closing bracket");
        }
        result.host = lower(text.substr(1, end - 1));
        rest = text.substr(end + 1);
        const bool is_ip = std::all_of(result.host.begin(), result.host.end(), [](char one) {
            return is_alnum(one) || one == ':' || one == '.';
        });
        if (!is_ip) return fail(ErrorCode::InvalidArgument, "the URL's IPv6 address is none");
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        result.host = lower(text.substr(0, colon));
        rest = text.substr(colon);
        const bool is_name = std::all_of(result.host.begin(), result.host.end(), [](char one) {
            return is_alnum(one) || one == '.' || one == '-' || one == '_';
        });
        if (!is_name) {
            return fail(ErrorCode::InvalidArgument, "the URL's host has a character no host has");
        }
    }
    if (result.host.empty() || result.host.size() > 253) {
        return fail(ErrorCode::InvalidArgument, "the URL has no host, or one that is too long");
    }
    if (!rest.empty()) {
        const char* const end = rest.data() + rest.size();
        unsigned port = 0;
        const auto [stopped, error] = std::from_chars(rest.data() + 1, end, port);
        if (rest.front() != ':' || error != std::errc{} || stopped != end || port == 0 ||
            port > 65535) {
            return fail(ErrorCode::InvalidArgument, "the URL's port is not one of 1 to 65535");
        }
        result.port = static_cast<std::uint16_t>(port);
    }
    if (result.port == 0) return fail(ErrorCode::InvalidArgument, "the URL has no port");
    return result;
}

/// Splits behind the authority.
std::pair<std::string_view, std::string_view> split_authority(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    return {text.substr(0, end), text.substr(end)};
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char one) { return one > ' ' && one < 0x7F; });
}

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size() || lower(text.substr(0, prefix.size())) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

}  // namespace

std::string Url::authority() const {
    const std::uint16_t own = scheme == Scheme::Ws ? 80 : scheme == Scheme::Wss ? 443 : 0;
    return port == own ? bracketed(host) : host_and_port();
}

std::string Url::host_and_port() const {
    return bracketed(host) + ":" + std::to_string(port);
}

base::Result<Url> parse_url(std::string_view text) {
    if (text.size() > 4096 || !is_printable(text)) {
        return fail(ErrorCode::InvalidArgument,
                    "the URL is too long or has a space, a control or a character beyond ASCII; "
                    "write it percent-encoded");
    }
    Url url;
    std::uint16_t own_port = 0;
    if (takes_prefix(text, "ws://")) {
        own_port = 80;
    } else if (takes_prefix(text, "wss://")) {
        url.scheme = Url::Scheme::Wss;
        own_port = 443;
    } else if (takes_prefix(text, "tcp://")) {
        url.scheme = Url::Scheme::Tcp;
    } else {
        return fail(ErrorCode::InvalidArgument,
                    "the URL begins with none of ws://, wss://, tcp://");
    }
    const auto [authority, target] = split_authority(text);
    auto parsed = parse_authority(authority, own_port);
    if (!parsed) return tl::unexpected(std::move(parsed.error()));
    url.host = std::move(parsed->host);
    url.port = parsed->port;
    if (target.find('#') != std::string_view::npos) {
        return fail(ErrorCode::InvalidArgument, "the URL has a fragment (#), which no server sees");
    }
    if (url.scheme == Url::Scheme::Tcp && !target.empty() && target != "/") {
        return fail(ErrorCode::InvalidArgument, "a tcp:// URL has no path");
    }
    url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

base::Result<ProxyAddress> parse_proxy(std::string_view text) {
    if (!is_printable(text) || !takes_prefix(text, "http://")) {
        return fail(ErrorCode::InvalidArgument, "the proxy is not written as http://host:port");
    }
    const auto [authority, target] = split_authority(text);
    auto parsed = parse_authority(authority, 0);
    if (!parsed || !(target.empty() || target == "/")) {
        return fail(ErrorCode::InvalidArgument,
                    "the proxy is not written as http://host:port",
                    parsed ? std::string{} : parsed.error().message);
    }
    return ProxyAddress{std::move(parsed->host), parsed->port};
}

std::optional<std::string> redirect_within(const Url& from, std::string_view location) {
    if (location.empty() || location.size() > 4096 || !is_printable(location)) return std::nullopt;
    // No server sees a fragment.
    location = location.substr(0, location.find('#'));
    const bool is_relative_to_host = location.starts_with('/') && !location.starts_with("//");
    if (is_relative_to_host) return std::string(location);
    std::string absolute;
    if (location.starts_with("//")) {
        absolute = (from.is_secure() ? "wss:" : "ws:") + std::string(location);
    } else if (takes_prefix(location, "http://")) {
        absolute = "ws://" + std::string(location);
    } else if (takes_prefix(location, "https://")) {
        absolute = "wss://" + std::string(location);
    } else if (location.find(':') < std::min(location.find('/'), location.find('?'))) {
        absolute = std::string(location);
    } else if (location.starts_with('?')) {
        return from.target.substr(0, from.target.find('?')) + std::string(location);
    } else {
        const std::string_view path =
            std::string_view(from.target).substr(0, from.target.find('?'));
        return std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location);
    }
    const auto url = parse_url(absolute);
    if (!url || url->scheme != from.scheme || url->host != from.host || url->port != from.port) {
        return std::nullopt;
    }
    return url->target;
}

}  // namespace offhook::socket
