#include "signalling/sip/refer_target.h"

#include <array>
#include <cstdio>

#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxValueBytes = 2048;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_of(text[i + 1]) >= 0 &&
            hex_of(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_of(text[i + 1]) * 16 + hex_of(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        std::array<char, 4> code{};
        std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
        out += code.data();
    }
    return out;
}

}  // namespace

std::optional<ReferTarget> parse_refer_to(std::string_view value) {
    if (value.size() > kMaxValueBytes) return std::nullopt;
    const std::string uri = std::string(trimmed(uri_in(std::string(value))));
    // A user part may hold a question mark; headers come after the host.
    const auto at = uri.find('@');
    const auto question = uri.find('?', at == std::string::npos ? 0 : at);
    ReferTarget target{uri.substr(0, question), {}};
    if (target.uri.empty() || !parse_uri(target.uri)) return std::nullopt;
    if (question == std::string::npos) return target;
    std::string_view headers = std::string_view(uri).substr(question + 1);
    while (!headers.empty()) {
        const auto amp = headers.find('&');
        const std::string_view header = headers.substr(0, amp);
        headers.remove_prefix(amp == std::string_view::npos ? headers.size() : amp + 1);
        const auto equals = header.find('=');
        if (equals != std::string_view::npos && same_text(header.substr(0, equals), "Replaces"))
            target.replaces = unescaped(header.substr(equals + 1));
    }
    return target;
}

std::string refer_to_value(const std::string& uri, const std::string& replaces) {
    return "<" + uri + (replaces.empty() ? std::string() : "?Replaces=" + escaped(replaces)) + ">";
}

std::optional<Replaces> parse_replaces(std::string_view value) {
    if (value.size() > kMaxValueBytes) return std::nullopt;
    Replaces replaces;
    replaces.call_id = trimmed(value.substr(0, value.find(';')));
    while (!value.empty()) {
        const auto semicolon = value.find(';');
        const std::string_view param = trimmed(value.substr(0, semicolon));
        value =
            semicolon == std::string_view::npos ? std::string_view() : value.substr(semicolon + 1);
        if (same_text(param, "early-only")) replaces.is_early_only = true;
        const auto equals = param.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = trimmed(param.substr(0, equals));
        if (same_text(name, "to-tag")) replaces.local_tag = trimmed(param.substr(equals + 1));
        if (same_text(name, "from-tag")) replaces.remote_tag = trimmed(param.substr(equals + 1));
    }
    if (replaces.call_id.empty() || replaces.local_tag.empty()) return std::nullopt;
    // RFC 3891 §6.1: "0" stands for a peer that sent no tag.
    if (replaces.remote_tag == "0") replaces.remote_tag.clear();
    return replaces;
}

std::string replaces_value(const Dialog& dialog) {
    return dialog.call_id + ";to-tag=" + (dialog.remote_tag.empty() ? "0" : dialog.remote_tag) +
           ";from-tag=" + dialog.local_tag;
}

}  // namespace offhook::signalling::sip
