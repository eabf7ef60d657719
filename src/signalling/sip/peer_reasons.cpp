#include "signalling/sip/peer_reasons.h"

#include <charconv>
#include <string>

#include "base/escape.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMost = 4;
constexpr std::size_t kProtocolBytes = 32;
constexpr std::size_t kTextBytes = 128;
constexpr int kMaxCause = 999;

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Takes what stands before the next `separator` outside of a quoted string, and the separator.
std::string_view take_until(std::string_view& rest, char separator) {
    bool is_quoted = false;
    std::size_t at = 0;
    for (; at < rest.size(); ++at) {
        if (is_quoted && rest[at] == '\\') {
            ++at;
        } else if (rest[at] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && rest[at] == separator) {
            break;
        }
    }
    at = std::min(at, rest.size());
    const std::string_view taken = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return trimmed(taken);
}

std::string unquoted(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
    std::string plain;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == '\\' && i + 2 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

}  // namespace

std::vector<model::PeerReason> parse_reasons(std::string_view header) {
    std::vector<model::PeerReason> reasons;
    while (!header.empty() && reasons.size() < kMost) {
        std::string_view value = take_until(header, ',');
        model::PeerReason reason;
        reason.protocol = base::escape_untrusted(take_until(value, ';'), kProtocolBytes);
        if (reason.protocol.empty()) continue;
        while (!value.empty()) {
            std::string_view param = take_until(value, ';');
            const std::string_view name = take_until(param, '=');
            if (same_text(name, "cause")) {
                int cause = 0;
                const auto read = std::from_chars(param.data(), param.data() + param.size(), cause);
                if (read.ec == std::errc{} && cause > 0 && cause <= kMaxCause) reason.cause = cause;
            } else if (same_text(name, "text")) {
                reason.text = base::escape_untrusted(unquoted(param), kTextBytes);
            }
        }
        reasons.push_back(std::move(reason));
    }
    return reasons;
}

std::vector<model::PeerReason> reasons_of(const osip_message_t& message) {
    std::vector<model::PeerReason> all;
    int position = 0;
    while (all.size() < kMost) {
        osip_header_t* header = nullptr;
        position = osip_message_header_get_byname(&message, "reason", position, &header);
        if (position < 0 || header == nullptr) break;
        ++position;
        if (header->hvalue == nullptr) continue;
        for (model::PeerReason& reason : parse_reasons(header->hvalue)) {
            if (all.size() < kMost) all.push_back(std::move(reason));
        }
    }
    return all;
}

}  // namespace offhook::signalling::sip
