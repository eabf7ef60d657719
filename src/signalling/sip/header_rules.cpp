#include "signalling/sip/header_rules.h"

#include <algorithm>
#include <array>

#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxHeaders = 32;
constexpr std::size_t kMaxBytes = 4096;
constexpr std::size_t kMaxUriBytes = 1024;

/// Written by the stack, in full and compact form.
constexpr std::array<std::string_view, 41> kOurs{"via",
                                                 "v",
                                                 "from",
                                                 "f",
                                                 "to",
                                                 "t",
                                                 "call-id",
                                                 "i",
                                                 "cseq",
                                                 "contact",
                                                 "m",
                                                 "max-forwards",
                                                 "route",
                                                 "record-route",
                                                 "content-length",
                                                 "l",
                                                 "content-type",
                                                 "c",
                                                 "content-encoding",
                                                 "e",
                                                 "authorization",
                                                 "proxy-authorization",
                                                 "www-authenticate",
                                                 "proxy-authenticate",
                                                 "require",
                                                 "proxy-require",
                                                 "supported",
                                                 "k",
                                                 "allow",
                                                 "session-expires",
                                                 "x",
                                                 "min-se",
                                                 "rack",
                                                 "rseq",
                                                 "replaces",
                                                 "refer-to",
                                                 "r",
                                                 "event",
                                                 "o",
                                                 "subscription-state",
                                                 "user-agent"};

bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "-.!%*_+`'~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

tl::unexpected<base::Error> wrong(std::string what) {
    return base::fail(base::ErrorCode::InvalidArgument, std::move(what));
}

}  // namespace

base::Result<void> check_headers(const std::vector<std::pair<std::string, std::string>>& headers) {
    if (headers.size() > kMaxHeaders)
        return wrong("more than " + std::to_string(kMaxHeaders) + " headers");
    std::size_t bytes = 0;
    for (const auto& [name, value] : headers) {
        bytes += name.size() + value.size();
        if (!is_token(name)) return wrong("a header name is not a token");
        const bool ours = std::any_of(
            kOurs.begin(), kOurs.end(), [&](std::string_view own) { return same_text(own, name); });
        if (ours) return wrong("the header " + name + " is written by the stack");
        if (std::any_of(value.begin(), value.end(), is_control))
            return wrong("the value of " + name + " has a control character");
    }
    if (bytes > kMaxBytes)
        return wrong("headers of more than " + std::to_string(kMaxBytes) + " bytes");
    return {};
}

base::Result<std::string> checked_uri(std::string_view uri) {
    const auto is_bad = [](char c) {
        return is_control(c) || c == ' ' || c == '<' || c == '>' || c == '"';
    };
    if (uri.empty() || uri.size() > kMaxUriBytes || std::any_of(uri.begin(), uri.end(), is_bad))
        return wrong("the URI has characters that cannot stand in one");
    std::string text(uri);
    const UniqueUri parsed = parse_uri(text);
    if (!parsed || parsed->scheme == nullptr) return wrong("it is not a SIP URI");
    const std::string scheme = bounded(parsed->scheme);
    if (same_text(scheme, "tel")) return text;
    if (!same_text(scheme, "sip") && !same_text(scheme, "sips"))
        return wrong("its scheme is not sip, sips or tel");
    if (parsed->host == nullptr || *parsed->host == '\0') return wrong("the URI has no host");
    return text;
}

base::Result<std::string> target_uri(std::string_view to, std::string_view domain) {
    const auto has_scheme = [&](std::string_view scheme) {
        return to.size() > scheme.size() && same_text(to.substr(0, scheme.size()), scheme);
    };
    if (has_scheme("sip:") || has_scheme("sips:") || has_scheme("tel:")) return checked_uri(to);
    if (to.find('@') != std::string_view::npos) return checked_uri("sip:" + std::string(to));
    constexpr std::string_view kMarks = "+*-._";
    std::string user;
    for (const char c : to) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || kMarks.find(c) != std::string_view::npos;
        if (c == ' ') continue;  // "+1 555 0100"
        if (!plain && c != '#') return wrong("it is neither a URI nor a number or user part");
        user += c == '#' ? std::string("%23") : std::string(1, c);
    }
    if (user.empty()) return wrong("it names nobody");
    return checked_uri("sip:" + user + "@" + std::string(domain));
}

}  // namespace offhook::signalling::sip
