#include "config/checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "config/bot_url.h"
#include "config/cidr.h"
#include "config/endpoint.h"

namespace offhook::config::check {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxGlobBytes = 128;
constexpr std::ptrdiff_t kMaxStars = 8;  // each multiplies the work of a match
constexpr std::size_t kMaxPathBytes = 4096;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

bool is_printable_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_host_name(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
           std::all_of(text.begin(), text.end(), is_name_char);
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

template <class T>
std::string problem_of(const base::Result<T>& result) {
    return result ? std::string() : result.error().message;
}

}  // namespace

std::string host_port(const std::string& text) {
    return problem_of(parse_host_port(text));
}

std::string sip_listen(const std::string& text) {
    return problem_of(parse_sip_listen(text));
}

std::string cidr(const std::string& text) {
    return problem_of(Cidr::parse(text));
}

std::string address(const std::string& text) {
    return is_numeric_address(text) ? "" : "must be a numeric IPv4 or IPv6 address";
}

std::string server_or_empty(const std::string& text) {
    return text.empty() ? "" : problem_of(parse_server(text, 1));
}

std::string address_or_empty(const std::string& text) {
    return text.empty() ? "" : address(text);
}

std::string name(const std::string& text) {
    const bool good = !text.empty() && text.size() <= kMaxNameBytes &&
                      std::all_of(text.begin(), text.end(), is_name_char);
    return good ? "" : "must be 1 to 64 letters, digits, dots, underscores or dashes";
}

std::string name_or_empty(const std::string& text) {
    return text.empty() ? "" : name(text);
}

std::string glob(const std::string& text) {
    const bool good = !text.empty() && text.size() <= kMaxGlobBytes && !has_control(text) &&
                      std::count(text.begin(), text.end(), '*') <= kMaxStars;
    return good ? "" : "must be a pattern of 1 to 128 characters with at most 8 stars";
}

std::string fill(const std::string& text) {
    if (text.empty() || text == "silence" || text == "comfort-noise" || text == "tone") return {};
    constexpr std::string_view kFile = "file:";
    if (!text.starts_with(kFile) || text.size() == kFile.size()) {
        return "must be silence, comfort-noise, tone, file:PATH or empty";
    }
    return readable_file(text.substr(kFile.size()));
}

std::string readable_file(const std::string& text) {
    struct stat info {};
    if (text.empty()) return {};
    if (!path_or_empty(text).empty() || ::stat(text.c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode) || ::access(text.c_str(), R_OK) != 0) {
        return "names a file that cannot be read";
    }
    return {};
}

std::string path_or_empty(const std::string& text) {
    const bool good = text.size() <= kMaxPathBytes && !has_control(text);
    return good ? "" : "must be a path of at most 4096 bytes without control characters";
}

std::string sip_user(const std::string& text) {
    constexpr std::string_view kBad = "\"@<>;:,\\";
    const bool good = !text.empty() && text.size() <= 128 && is_printable_word(text) &&
                      text.find_first_of(kBad) == std::string::npos;
    return good
               ? ""
               : "must be 1 to 128 printable characters without blanks, quotes, colons, @, < and >";
}

std::string sip_user_or_empty(const std::string& text) {
    return text.empty() ? std::string() : sip_user(text);
}

std::string display_name(const std::string& text) {
    const bool good = text.size() <= 128 && !has_control(text);
    return good ? "" : "must be at most 128 bytes without control characters";
}

std::string host_or_empty(const std::string& text) {
    const bool good = text.empty() || is_numeric_address(text) || is_host_name(text);
    return good ? "" : "must be a host name or a numeric address, without a port";
}

std::string host_and_port_or_empty(const std::string& text) {
    if (text.empty() || is_numeric_address(text) || is_host_name(text)) return {};
    const auto colon = text.rfind(':');
    if (colon != std::string::npos && colon > 0) {
        std::string host = text.substr(0, colon);
        const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
        if (is_bracketed) host = host.substr(1, host.size() - 2);
        unsigned port = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
        const bool has_port = error == std::errc{} && stop == end && port > 0 && port <= 65535;
        const bool has_host =
            is_bracketed ? is_numeric_address(host)
                         : is_host_name(host) ||
                               (is_numeric_address(host) && host.find(':') == std::string::npos);
        if (has_port && has_host) return {};
    }
    return "must be HOST or HOST:PORT, without sip: or //; an IPv6 address with a port in brackets";
}

std::string environment_name_or_empty(const std::string& text) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    const bool good = text.size() <= 128 && std::all_of(text.begin(), text.end(), is_word);
    return good ? "" : "must be the name of a variable: letters, digits and _";
}

std::string url_path(const std::string& text) {
    const bool good = text.starts_with('/') && text.size() <= 256 && is_printable_word(text);
    return good ? "" : "must begin with / and have no blanks";
}

std::string server_url(const std::string& text) {
    constexpr std::string_view kScheme = "https://";
    const bool good = text.starts_with(kScheme) && text.size() > kScheme.size() &&
                      host_and_port_or_empty(text.substr(kScheme.size())).empty();
    return good ? "" : "must be https://host or https://host:port, without a path";
}

std::string word_or_empty(const std::string& text) {
    const bool good = text.size() <= 256 && (text.empty() || is_printable_word(text));
    return good ? "" : "must have at most 256 printable characters and no blanks";
}

std::string digits_or_empty(const std::string& text) {
    const bool good = text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
                          return c >= '0' && c <= '9';
                      });
    return good ? "" : "must be digits";
}

std::string origin(const std::string& text) {
    const auto colon = text.find("://");
    const std::string scheme = text.substr(0, colon);
    const std::string where = colon == std::string::npos ? std::string() : text.substr(colon + 3);
    if ((scheme == "https" || scheme == "http") && !where.empty() &&
        host_and_port_or_empty(where).empty())
        return {};
    return "must be https://HOST or http://HOST, perhaps with a port, and nothing behind it";
}

std::string ice_url(const std::string& text) {
    const auto colon = text.find(':');
    const std::string scheme = text.substr(0, colon);
    std::string where = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    const auto query = where.find('?');
    const std::string asked = query == std::string::npos ? std::string() : where.substr(query);
    where.resize(std::min(query, where.size()));
    const bool is_stun = scheme == "stun" && asked.empty();
    const bool is_turn = scheme == "turn" &&
                         (asked.empty() || asked == "?transport=udp" || asked == "?transport=tcp");
    const bool is_turns = scheme == "turns" && (asked.empty() || asked == "?transport=tcp");
    if ((is_stun || is_turn || is_turns) && !where.empty() && host_and_port_or_empty(where).empty())
        return {};
    return "must be stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp) or turns:HOST:PORT";
}

std::string bot_url_or_empty(const std::string& text) {
    return text.empty() ? "" : problem_of(parse_bot_url(text));
}

std::string proxy_or_empty(const std::string& text) {
    constexpr std::string_view kScheme = "http://";
    const bool good =
        text.empty() || (text.starts_with(kScheme) && text.rfind(':') > kScheme.size() &&
                         host_and_port_or_empty(text.substr(kScheme.size())).empty());
    return good ? "" : "must be http://HOST:PORT, without user, password and path";
}

std::string verb(const std::string& text) {
    for (const char* known : {"hang-up", "transfer", "dtmf", "prompt", "hold"}) {
        if (text == known) return {};
    }
    return "must be one of hang-up, transfer, dtmf, prompt, hold";
}

std::string fallback(const std::string& text) {
    if (text == "hang-up") return {};
    const auto colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    const std::string what = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    if (kind == "ai" || kind == "prompt") {
        const std::string problem = name(what);
        return problem.empty() ? problem : "the name behind " + kind + ": " + problem;
    }
    if (kind == "transfer") {
        const bool good = !what.empty() && what.size() <= 256 && is_printable_word(what);
        return good ? "" : "needs a SIP URI or a number behind transfer:";
    }
    return "must be ai:NAME, prompt:NAME, transfer:TARGET or hang-up";
}

std::string header_name(const std::string& text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    const bool good =
        !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   kMarks.find(c) != std::string_view::npos;
        });
    if (!good) return "must be the name of an HTTP header, such as X-Api-Key";
    const std::string name = lower(text);
    if (name.starts_with("sec-websocket-") || name == "host" || name == "connection" ||
        name == "upgrade" || name == "content-length" || name == "transfer-encoding") {
        return "is a header of the handshake itself";
    }
    return {};
}

std::string parameter(const std::string& text) {
    if (text.size() > 500 || has_control(text))
        return "must be at most 500 bytes without control characters";
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 1)) {
        const auto end = text.find('}', at);
        const std::string word = end == std::string::npos ? "" : text.substr(at + 2, end - at - 2);
        if (word != "from" && word != "to" && word != "call_id" && word != "account" &&
            word != "route") {
            return "knows ${from}, ${to}, ${call_id}, ${account} and ${route}";
        }
    }
    return {};
}

std::string line(const std::string& text) {
    const bool good = text.size() <= 500 && std::all_of(text.begin(), text.end(), [](char c) {
                          return c >= 0x20 && c < 0x7F;
                      });
    return good ? "" : "must be at most 500 printable ASCII characters";
}

}  // namespace offhook::config::check
