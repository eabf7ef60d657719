#include "sdp/detail/description.h"

#include <algorithm>
#include <array>
#include <string>

#include "sdp/detail/text.h"
#include "sdp/web_remote.h"

namespace offhook::sdp::detail {
namespace {

constexpr std::size_t kMaxMediaLines = 16;
constexpr std::size_t kMaxAttributes = 256;
constexpr std::size_t kMaxWord = 64;

// A browser's video line has hundreds of attributes; only these are kept, so that the bound is one
// on what matters.
constexpr std::array<std::string_view, 21> kRead{
    "sendrecv",      "sendonly",    "recvonly",         "inactive",  "rtpmap",  "fmtp",
    "ptime",         "rtcp-mux",    "rtcp-mux-only",    "mid",       "group",   "crypto",
    "setup",         "fingerprint", "ice-lite",         "ice-ufrag", "ice-pwd", "msid",
    "msid-semantic", "candidate",   "end-of-candidates"};

base::Result<Section> read_media(std::string_view value) {
    const auto broken = [] { return base::fail(base::ErrorCode::Malformed, "broken m= line"); };
    Section section;
    section.media = take(value);
    std::string_view ports = take(value);
    const auto port = number_in<std::uint16_t>(take(ports, '/'), 0, 65535);
    section.protocol = take(value);
    section.formats = value;
    if (!port || !is_word(section.media, kMaxWord) || !is_word(section.protocol, kMaxWord))
        return broken();
    section.port = *port;
    if (value.empty()) return broken();
    for (std::string_view rest = value; !rest.empty();) {
        if (!is_word(take(rest), kMaxWord)) return broken();
    }
    return section;
}

void read_attribute(std::string_view text, Section& section) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (std::none_of(kRead.begin(), kRead.end(), [&](auto read) { return same(read, name); }))
        return;
    section.attributes.push_back(
        {name, colon == text.npos ? std::string_view() : text.substr(colon + 1)});
}

}  // namespace

bool Section::has(std::string_view name) const {
    return value(name).has_value();
}

std::optional<std::string_view> Section::value(std::string_view name) const {
    for (const Attribute& attribute : attributes) {
        if (same(attribute.name, name)) return attribute.value;
    }
    return std::nullopt;
}

std::vector<std::string_view> Section::values(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const Attribute& attribute : attributes) {
        if (same(attribute.name, name)) found.push_back(attribute.value);
    }
    return found;
}

base::Result<Description> parse(std::string_view text) {
    const auto malformed = [](std::string why) {
        return base::fail(base::ErrorCode::Malformed, std::move(why));
    };
    if (text.size() > kMaxBytes) return malformed("session description over 32 KiB");
    if (text.find('\0') != text.npos) return malformed("a zero byte in the session description");
    Description description;
    bool has_version = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        // The LF of CRLF, or a blank line that some peers leave at the end.
        if (line.empty()) continue;
        if (line.size() < 2 || line[1] != '=')
            return malformed("a line of the session description is not x=...");
        std::string_view value = line.substr(2);
        Section& current =
            description.media.empty() ? description.session : description.media.back();
        switch (line[0]) {
            case 'v':
                if (value != "0") return malformed("session description of another version");
                has_version = true;
                break;
            case 'o':
                (void)take(value);  // user name
                description.session_id = take(value);
                description.version = take(value);
                break;
            case 's':
                description.name = value;
                break;
            case 'c':
                current.connection = value;
                break;
            case 'm': {
                auto section = read_media(value);
                if (!section) return tl::unexpected(section.error());
                if (description.media.size() >= kMaxMediaLines)
                    return malformed("more than 16 m= lines");
                description.media.push_back(std::move(*section));
                break;
            }
            case 'a':
                read_attribute(value, current);
                if (current.attributes.size() > kMaxAttributes)
                    return malformed("more than 256 attributes under one m= line");
                break;
            default:
                break;
        }
    }
    if (!has_version || description.session_id.empty() || description.version.empty())
        return malformed("session description without v= or o=");
    if (description.media.empty()) return malformed("session description without m=");
    return description;
}

}  // namespace offhook::sdp::detail
