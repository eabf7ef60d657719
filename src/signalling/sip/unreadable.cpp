#include "signalling/sip/unreadable.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "signalling/sip/flow.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

struct Wanted {
    std::string_view name;
    char compact;  ///< RFC 3261 §7.3.3; 0: none
    bool many;     ///< every occurrence is copied; else a second one means that nobody can tell
};
constexpr std::array<Wanted, 5> kWanted{{{"Via", 'v', true},
                                         {"From", 'f', false},
                                         {"To", 't', false},
                                         {"Call-ID", 'i', false},
                                         {"CSeq", 0, false}}};

/// The methods of RFC 3261 and its extensions; another word is refused for what it is.
constexpr std::array<std::string_view, 13> kMethods{"INVITE",
                                                    "BYE",
                                                    "CANCEL",
                                                    "OPTIONS",
                                                    "REGISTER",
                                                    "INFO",
                                                    "MESSAGE",
                                                    "NOTIFY",
                                                    "PRACK",
                                                    "PUBLISH",
                                                    "REFER",
                                                    "SUBSCRIBE",
                                                    "UPDATE"};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Takes one header line with its continuations (RFC 3261 §7.3.1) off `rest`.
std::string_view take_line(std::string_view& rest) {
    std::size_t end = rest.find('\n');
    while (end != std::string_view::npos && end + 1 < rest.size() &&
           (rest[end + 1] == ' ' || rest[end + 1] == '\t')) {
        end = rest.find('\n', end + 1);
    }
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::optional<std::size_t> wanted_index(std::string_view name) {
    for (std::size_t i = 0; i < kWanted.size(); ++i) {
        const bool is_compact =
            name.size() == 1 && kWanted[i].compact != 0 &&
            std::tolower(static_cast<unsigned char>(name.front())) == kWanted[i].compact;
        if (is_compact || same_text(name, kWanted[i].name)) return i;
    }
    return std::nullopt;
}

bool is_foreign_scheme(std::string_view uri) {
    const std::string_view scheme = uri.substr(0, uri.find(':'));
    if (scheme.size() == uri.size() || scheme.empty()) return false;
    for (const char c : scheme) {  // RFC 3986 §3.1
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '-' && c != '.')
            return false;
    }
    return !same_text(scheme, "sip") && !same_text(scheme, "sips") && !same_text(scheme, "tel");
}

}  // namespace

std::optional<std::string> answer_unreadable(std::string_view bytes, std::string_view server) {
    if (bytes.size() > kMaxMessageBytes) return std::nullopt;
    std::string_view rest = bytes.substr(0, bytes.find("\r\n\r\n"));
    const std::string_view start = trimmed(take_line(rest));
    const auto space = start.find(' ');
    if (space == std::string_view::npos || !start.ends_with(" SIP/2.0")) return std::nullopt;
    const std::string_view method = start.substr(0, space);
    if (method == "ACK" || method.starts_with("SIP/")) return std::nullopt;
    const std::string_view uri =
        trimmed(start.substr(space, start.size() - space - std::string_view(" SIP/2.0").size()));

    std::array<std::string, kWanted.size()> found;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const auto index = wanted_index(trimmed(line.substr(0, colon)));
        if (!index) continue;
        if (!found[*index].empty() && !kWanted[*index].many) return std::nullopt;
        // On one line and without control characters: nothing of theirs starts a header of ours.
        const std::string value = single_line(trimmed(line.substr(colon + 1)), line.size());
        found[*index] += std::string(kWanted[*index].name) + ": " + value + "\r\n";
    }
    // In the order of RFC 3261 §8.2.
    std::string answer = std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()
                             ? "SIP/2.0 501 Not Implemented\r\n"
                         : is_foreign_scheme(uri) ? "SIP/2.0 416 Unsupported URI Scheme\r\n"
                                                  : "SIP/2.0 400 Bad Request\r\n";
    for (const std::string& lines : found) {
        if (lines.empty()) return std::nullopt;
        answer += lines;
    }
    return answer + "Server: " + std::string(server) + "\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace offhook::signalling::sip
