#include "trace/sip_text.h"

#include <algorithm>
#include <cctype>

#include "base/escape.h"

namespace offhook::trace {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == y;
    });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// @param name, compact  in lower case; the compact form of RFC 3261 §7.3.3
std::string_view header_of(std::string_view message,
                           std::string_view name,
                           std::string_view compact) {
    std::size_t at = message.find('\n');
    while (at != std::string_view::npos) {
        const std::string_view rest = message.substr(at + 1);
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        if (trimmed(line).empty()) return {};
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            const std::string_view found = trimmed(line.substr(0, colon));
            if (same_name(found, name) || (!compact.empty() && same_name(found, compact)))
                return trimmed(line.substr(colon + 1));
        }
        at = end == std::string_view::npos ? end : at + 1 + end;
    }
    return {};
}

}  // namespace

std::string call_id_of(std::string_view message) {
    return base::escape_untrusted(header_of(message, "call-id", "i"));
}

std::string_view method_of(std::string_view message) {
    const auto start = message.find_first_not_of("\r\n");
    if (start == std::string_view::npos) return {};
    message.remove_prefix(start);
    if (!message.starts_with("SIP/")) return message.substr(0, message.find(' '));
    const std::string_view cseq = header_of(message, "cseq", {});
    const auto space = cseq.find_last_of(" \t");
    return space == std::string_view::npos ? std::string_view() : cseq.substr(space + 1);
}

}  // namespace offhook::trace
