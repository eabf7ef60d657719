#include "caller/sip_uri.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

#include "base/escape.h"

namespace offhook::caller {
namespace {

constexpr std::size_t kMaxUriBytes = 256;

bool is_uri_byte(char c) {
    return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '"' && c != ',';
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return result;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    unsigned value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

template <class Visit>
void each_param(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t next = text.find(';');
        const std::string_view part = trim(text.substr(0, next));
        if (!part.empty()) {
            const std::size_t equals = part.find('=');
            visit(trim(part.substr(0, equals)),
                  equals == std::string_view::npos ? std::string_view()
                                                   : trim(part.substr(equals + 1)));
        }
        if (next == std::string_view::npos) break;
        text.remove_prefix(next + 1);
    }
}

tl::unexpected<base::Error> malformed(std::string_view text, std::string_view why) {
    return base::fail(
        base::ErrorCode::Malformed,
        "not a SIP URI: " + base::escape_untrusted(text, 80) + " (" + std::string(why) + ")");
}

}  // namespace

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool equals_no_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<std::string_view> SipUri::param(std::string_view name) const {
    for (const auto& [key, value] : params) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::string SipUri::text() const {
    std::string result = "sip:";
    if (!user.empty()) result += user + "@";
    result += host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != 0) result += ":" + std::to_string(port);
    for (const auto& [key, value] : params)
        result += ";" + key + (value.empty() ? "" : "=" + value);
    return result;
}

base::Result<SipUri> parse_sip_uri(std::string_view text) {
    const std::string_view whole = text;
    if (text.size() > kMaxUriBytes) return malformed(whole, "longer than 256 bytes");
    if (!std::all_of(text.begin(), text.end(), is_uri_byte))
        return malformed(whole, "a byte that no URI has");
    const std::size_t colon = text.find(':');
    if (colon == 3 && equals_no_case(text.substr(0, 3), "sip")) {
        text.remove_prefix(4);
    } else if (equals_no_case(text.substr(0, 5), "sips:") ||
               equals_no_case(text.substr(0, 4), "tel:")) {
        return base::fail(base::ErrorCode::Unsupported,
                          "only sip: URIs are understood, not " + base::escape_untrusted(text, 80));
    }
    text = text.substr(0, text.find('?'));
    SipUri uri;
    const std::size_t at = text.rfind('@');
    if (at != std::string_view::npos) {
        uri.user = std::string(text.substr(0, at));
        text.remove_prefix(at + 1);
    }
    std::string_view host_port = text.substr(0, text.find(';'));
    const std::string_view params = text.substr(host_port.size());
    std::string_view port;
    if (!host_port.empty() && host_port.front() == '[') {
        const std::size_t close = host_port.find(']');
        if (close == std::string_view::npos) return malformed(whole, "no ] after the IPv6 address");
        uri.host = std::string(host_port.substr(1, close - 1));
        port = host_port.substr(close + 1);
    } else {
        const std::size_t split = host_port.find(':');
        uri.host = std::string(host_port.substr(0, split));
        if (split != std::string_view::npos) port = host_port.substr(split);
    }
    if (uri.host.empty()) return malformed(whole, "no host");
    if (!port.empty()) {
        const auto number = port.front() == ':' ? parse_port(port.substr(1)) : std::nullopt;
        if (!number) return malformed(whole, "the port is not 1 to 65535");
        uri.port = *number;
    }
    each_param(params, [&](std::string_view key, std::string_view value) {
        uri.params.emplace_back(lower(key), std::string(value));
    });
    return uri;
}

std::optional<std::string> NameAddress::param(std::string_view name) const {
    std::optional<std::string> found;
    each_param(params, [&](std::string_view key, std::string_view value) {
        if (!found && equals_no_case(key, name)) found = std::string(value);
    });
    return found;
}

std::optional<NameAddress> parse_name_address(std::string_view text) {
    text = trim(text);
    // A display name in quotes may hold anything, even < and ;.
    if (!text.empty() && text.front() == '"') {
        std::size_t end = 1;
        while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
        if (end >= text.size()) return std::nullopt;
        text.remove_prefix(end + 1);
    }
    NameAddress result;
    const std::size_t open = text.find('<');
    if (open == std::string_view::npos) {
        const std::size_t params = std::min(text.find(';'), text.size());
        result.uri = std::string(trim(text.substr(0, params)));
        result.params = std::string(text.substr(params));
    } else {
        const std::size_t close = text.find('>', open);
        if (close == std::string_view::npos) return std::nullopt;
        result.uri = std::string(trim(text.substr(open + 1, close - open - 1)));
        result.params = std::string(trim(text.substr(close + 1)));
    }
    if (result.uri.empty()) return std::nullopt;
    return result;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    bool in_quotes = false;
    bool in_brackets = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i == text.size() || (text[i] == ',' && !in_quotes && !in_brackets)) {
            const std::string_view part = trim(text.substr(start, i - start));
            if (!part.empty()) parts.emplace_back(part);
            start = i + 1;
        } else if (in_quotes) {
            if (text[i] == '"') in_quotes = false;
            if (text[i] == '\\' && i + 1 < text.size()) ++i;
        } else if (text[i] == '"') {
            in_quotes = true;
        } else if (text[i] == '<') {
            in_brackets = true;
        } else if (text[i] == '>') {
            in_brackets = false;
        }
    }
    return parts;
}

}  // namespace offhook::caller
