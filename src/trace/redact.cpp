#include "trace/redact.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace offhook::trace {
namespace {

constexpr std::array<std::string_view, 6> kSecretHeaders{
    "auth", "token", "secret", "password", "api-key", "cookie"};
/// Names whose value is a secret wherever it stands; before `=`, `:`, or the end of an XML tag.
constexpr std::array<std::string_view, 9> kSecretNames{"token",
                                                       "secret",
                                                       "password",
                                                       "passwd",
                                                       "api_key",
                                                       "api-key",
                                                       "apikey",
                                                       "authorization",
                                                       "ice-pwd"};
constexpr std::string_view kValueEnds = "\r\n \t\"'<>;&,)";
constexpr std::string_view kRemoved = "(removed)";

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
               return a == lower(b);
           });
}

bool has_word(std::string_view text, std::string_view word) {
    for (std::size_t i = 0; i + word.size() <= text.size(); ++i) {
        if (starts_with_word(text.substr(i), word)) return true;
    }
    return false;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Up to the first of `stops` every character from `at` on becomes an x. @return where it stopped
std::size_t mask(std::string& text, std::size_t at, std::size_t end, std::string_view stops) {
    while (at < end && stops.find(text[at]) == std::string_view::npos) text[at++] = 'x';
    return at;
}

/// The value that begins behind the name at `at`, whatever the notation: `=v`, `: v`, `="v"`,
/// `": "v"`, `>v<`.
void mask_value(std::string& text, std::size_t at, std::size_t end, std::string_view stops) {
    while (at < end && (text[at] == '"' || text[at] == '\'' || is_blank(text[at]))) ++at;
    if (at == end || (text[at] != '=' && text[at] != ':' && text[at] != '>')) return;
    ++at;
    while (at < end && is_blank(text[at])) ++at;
    if (at == end) return;
    if (text[at] == '"' || text[at] == '\'') {
        const char quote = text[at];
        mask(text, at + 1, end, std::string_view(&quote, 1));
        return;
    }
    mask(text, at, end, stops);
}

void mask_named_values(std::string& text, std::size_t from, std::size_t end) {
    for (std::size_t at = from; at < end; ++at) {
        const std::string_view rest = std::string_view(text).substr(at, end - at);
        if (starts_with_word(rest, "bearer ")) mask(text, at + 7, end, kValueEnds);
        for (const std::string_view name : kSecretNames) {
            if (!starts_with_word(rest, name)) continue;
            // Credentials are several words (RFC 9110 §11.4).
            const bool is_line = name == "authorization";
            mask_value(text, at + name.size(), end, is_line ? "\r\n<>&" : kValueEnds);
        }
    }
}

void mask_uri_passwords(std::string& text, std::size_t from, std::size_t end) {
    for (std::size_t at = from; at + 5 < end; ++at) {
        const std::string_view rest = std::string_view(text).substr(at, end - at);
        const std::size_t scheme = starts_with_word(rest, "sip:")    ? 4
                                   : starts_with_word(rest, "sips:") ? 5
                                                                     : 0;
        if (scheme == 0 || rest[scheme] == '[') continue;
        const std::size_t stop = std::min(rest.find_first_of(" \t\r\n<>\"", scheme), rest.size());
        const std::size_t host = rest.substr(0, stop).rfind('@');
        const std::size_t colon = rest.find(':', scheme);
        if (host == std::string_view::npos || colon == std::string_view::npos || colon > host)
            continue;
        for (std::size_t i = at + colon + 1; i < at + host; ++i) text[i] = 'x';
    }
}

/// One line of a body, an SDP line perhaps.
void mask_body_line(std::string& text, std::size_t from, std::size_t end) {
    const std::string_view line = std::string_view(text).substr(from, end - from);
    if (starts_with_word(line, "a=crypto:")) {
        constexpr std::string_view kInline = "inline:";
        for (std::size_t at = from; at + kInline.size() < end; ++at) {
            if (starts_with_word(std::string_view(text).substr(at, end - at), kInline))
                at = mask(text, at + kInline.size(), end, " \t|;\r\n");
        }
    } else if (starts_with_word(line, "a=key-mgmt:") || starts_with_word(line, "k=")) {
        const std::size_t value = line.find_first_of(":=", starts_with_word(line, "k=") ? 1 : 2);
        mask(text, from + value + 1, end, "\r\n");
    } else if (starts_with_word(line, "a=ice-pwd:")) {
        mask(text, from + std::string_view("a=ice-pwd:").size(), end, "\r\n");
    }
}

/// A header without its value, but for the scheme of credentials.
std::string header_without_value(std::string_view line) {
    const std::size_t colon = line.find(':');
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    std::string out(line.substr(0, colon + 1));
    out += ' ';
    for (const std::string_view scheme : {"digest", "bearer", "basic", "ntlm", "kerberos"}) {
        if (!starts_with_word(value, scheme)) continue;
        out += value.substr(0, scheme.size());
        out += ' ';
    }
    return out += kRemoved;
}

/// The next line with its end, continuations included when `folds` (RFC 3261 §7.3.1).
std::string_view take_line(std::string_view& rest, bool folds) {
    std::size_t end = rest.find('\n');
    while (folds && end != std::string_view::npos && end + 1 < rest.size() &&
           is_blank(rest[end + 1])) {
        end = rest.find('\n', end + 1);
    }
    const std::string_view line =
        rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
    rest.remove_prefix(line.size());
    return line;
}

std::string_view end_of(std::string_view line) {
    return line.ends_with("\r\n") ? "\r\n" : line.ends_with('\n') ? "\n" : "";
}

}  // namespace

std::string without_secrets(std::string_view message) {
    std::string out;
    out.reserve(message.size());
    std::string_view rest = message;
    bool is_start = true;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest, true);
        const std::string_view content = line.substr(0, line.size() - end_of(line).size());
        if (content.empty()) {
            out += line;
            if (is_start) continue;  // blank lines before a message are none of it
            break;
        }
        const std::size_t colon = content.find(':');
        const bool is_secret =
            !is_start && colon != std::string_view::npos &&
            std::any_of(kSecretHeaders.begin(), kSecretHeaders.end(), [&](std::string_view word) {
                return has_word(content.substr(0, colon), word);
            });
        is_start = false;
        if (is_secret) {
            out += header_without_value(content);
            out += end_of(line);
            continue;
        }
        const std::size_t from = out.size();
        out += line;
        mask_uri_passwords(out, from, out.size());
        mask_named_values(out, from, out.size());
    }
    const std::size_t body = out.size();
    out += rest;
    for (std::size_t at = body; at < out.size();) {
        const std::size_t newline = out.find('\n', at);
        const std::size_t end = newline == std::string::npos ? out.size() : newline + 1;
        mask_body_line(out, at, end);
        at = end;
    }
    mask_uri_passwords(out, body, out.size());
    mask_named_values(out, body, out.size());
    return out;
}

}  // namespace offhook::trace
