#include "signalling/sip/sip_sdp.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "sdp/web_remote.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {
namespace {

using base::ErrorCode;
using model::Direction;

constexpr std::size_t kMaxLines = 1024;
constexpr std::size_t kMaxMediaLines = 16;
constexpr std::size_t kMaxFormats = 64;
constexpr std::size_t kMaxCrypto = 8;
constexpr std::size_t kMaxString = 256;

struct StaticType {
    std::uint8_t payload_type;
    std::string_view encoding;
    std::uint32_t clock_hz;
    std::uint8_t channels;
};

// RFC 3551 §6, the audio types.
constexpr std::array<StaticType, 17> kStaticTypes{{
    {0, "PCMU", 8000, 1},
    {3, "GSM", 8000, 1},
    {4, "G723", 8000, 1},
    {5, "DVI4", 8000, 1},
    {6, "DVI4", 16000, 1},
    {7, "LPC", 8000, 1},
    {8, "PCMA", 8000, 1},
    {9, "G722", 8000, 1},
    {10, "L16", 44100, 2},
    {11, "L16", 44100, 1},
    {12, "QCELP", 8000, 1},
    {13, "CN", 8000, 1},
    {14, "MPA", 90000, 1},
    {15, "G728", 8000, 1},
    {16, "DVI4", 11025, 1},
    {17, "DVI4", 22050, 1},
    {18, "G729", 8000, 1},
}};

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string bounded_copy(std::string_view text) {
    return std::string(text.substr(0, kMaxString));
}

template <class Number>
std::optional<Number> number_in(std::string_view text, Number least, Number most) {
    Number value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() || value < least || value > most)
        return std::nullopt;
    return value;
}

/// Takes the text up to the next `separator` run off the front.
std::string_view take(std::string_view& rest, char separator = ' ') {
    while (!rest.empty() && rest.front() == separator) rest.remove_prefix(1);
    const auto end = rest.find(separator);
    const std::string_view token = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    while (!rest.empty() && rest.front() == separator) rest.remove_prefix(1);
    return token;
}

/// One m= section (or the session's part) as read, before anything is chosen.
struct Section {
    model::SdpMediaLine line;
    std::uint16_t port = 0;
    std::vector<model::SdpFormat> formats;
    std::string connection;
    std::optional<Direction> direction;
    std::optional<std::uint16_t> rtcp_port;
    bool rtcp_mux = false;
    std::optional<int> ptime_ms;
    std::vector<model::SdpCrypto> crypto;

    model::SdpFormat* format(std::uint8_t payload_type) {
        const auto found = std::find_if(formats.begin(), formats.end(), [&](const auto& f) {
            return f.payload_type == payload_type;
        });
        return found == formats.end() ? nullptr : &*found;
    }
};

void read_rtpmap(std::string_view value, Section& section) {
    const auto payload_type = number_in<std::uint8_t>(take(value), 0, 127);
    model::SdpFormat* format = payload_type ? section.format(*payload_type) : nullptr;
    if (format == nullptr) return;
    std::string_view mapping = take(value);
    const std::string_view encoding = take(mapping, '/');
    const auto clock_hz = number_in<std::uint32_t>(take(mapping, '/'), 1, 1'000'000);
    const auto channels =
        mapping.empty() ? std::optional<std::uint8_t>(1) : number_in<std::uint8_t>(mapping, 1, 255);
    if (encoding.empty() || !clock_hz || !channels) return;
    format->encoding = bounded_copy(encoding);
    format->clock_hz = *clock_hz;
    format->channels = *channels;
}

void read_attribute(std::string_view text, Section& section) {
    const auto colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (const auto direction = model::direction_named(name)) {
        section.direction = direction;
    } else if (same(name, "rtpmap")) {
        read_rtpmap(value, section);
    } else if (same(name, "fmtp")) {
        const auto payload_type = number_in<std::uint8_t>(take(value), 0, 127);
        model::SdpFormat* format = payload_type ? section.format(*payload_type) : nullptr;
        if (format != nullptr && format->fmtp.empty()) format->fmtp = bounded_copy(value);
    } else if (same(name, "ptime")) {
        section.ptime_ms = number_in<int>(take(value), 1, 1000);
    } else if (same(name, "rtcp-mux")) {
        section.rtcp_mux = true;
    } else if (same(name, "crypto")) {
        auto crypto = model::parse_crypto(value);
        if (crypto && section.crypto.size() < kMaxCrypto)
            section.crypto.push_back(std::move(*crypto));
    } else if (same(name, "rtcp")) {
        section.rtcp_port = number_in<std::uint16_t>(take(value), 1, 65535);
    }
}

/// "IN IP4 192.0.2.1" with an optional "/ttl"; empty when it is not an address we can use.
std::string read_connection(std::string_view value) {
    const std::string_view net = take(value);
    const std::string_view type = take(value);
    std::string_view address = take(value);
    address = address.substr(0, address.find('/'));
    const auto parsed = SocketAddress::parse(address, 0);
    const bool fits =
        parsed && same(net, "IN") && same(type, parsed->family() == AF_INET6 ? "IP6" : "IP4");
    return fits ? std::string(address) : std::string();
}

std::optional<Section> read_media(std::string_view value) {
    Section section;
    section.line.media = bounded_copy(take(value));
    std::string_view ports = take(value);
    const auto port = number_in<std::uint16_t>(take(ports, '/'), 0, 65535);
    section.line.protocol = bounded_copy(take(value));
    if (section.line.media.empty() || !port || section.line.protocol.empty() || value.empty())
        return std::nullopt;
    section.port = *port;
    while (!value.empty()) {
        const std::string_view token = take(value);
        // Formats beyond the bounds are not repeated in the answer: a rejected line needs one only.
        if (section.line.formats.size() + token.size() + 1 <= kMaxString) {
            if (!section.line.formats.empty()) section.line.formats += ' ';
            section.line.formats += token;
        }
        const auto payload_type = number_in<std::uint8_t>(token, 0, 127);
        if (!payload_type || section.formats.size() >= kMaxFormats ||
            section.format(*payload_type) != nullptr)
            continue;
        model::SdpFormat format;
        format.payload_type = *payload_type;
        for (const StaticType& known : kStaticTypes) {
            if (known.payload_type != *payload_type) continue;
            format.encoding = known.encoding;
            format.clock_hz = known.clock_hz;
            format.channels = known.channels;
        }
        section.formats.push_back(std::move(format));
    }
    if (section.line.formats.empty()) section.line.formats = "0";
    return section;
}

bool read_origin(std::string_view value, model::RemoteSdp& remote) {
    (void)take(value);  // user name
    const std::string_view session_id = take(value);
    const std::string_view version = take(value);
    if (session_id.empty() || version.empty()) return false;
    remote.origin_session_id = bounded_copy(session_id);
    // Some write more digits than 64 bits hold, or letters: what matters is whether it changed.
    const auto number = number_in<std::uint64_t>(version, 0, UINT64_MAX);
    remote.origin_version = number ? *number : std::hash<std::string_view>{}(version);
    return true;
}

bool is_savp(const Section& section) {
    return same(section.line.protocol, "RTP/SAVP") || same(section.line.protocol, "RTP/SAVPF");
}

bool is_acceptable(const Section& section) {
    const bool profile = same(section.line.protocol, "RTP/AVP") ||
                         same(section.line.protocol, "RTP/AVPF") ||
                         (is_savp(section) && !section.crypto.empty());
    return same(section.line.media, "audio") && profile && section.port != 0 &&
           !section.connection.empty() && !section.formats.empty();
}

model::RemoteAudio audio_of(const Section& section) {
    model::RemoteAudio audio;
    audio.address = section.connection;
    audio.rtp_port = section.port;
    audio.rtcp_mux = section.rtcp_mux;
    const auto next = static_cast<std::uint16_t>(section.port == 65535 ? 65535 : section.port + 1);
    audio.rtcp_port = section.rtcp_mux ? section.port : section.rtcp_port.value_or(next);
    audio.direction = section.direction.value_or(Direction::SendRecv);
    const auto address = SocketAddress::parse(section.connection, 0);
    if (address && address->is_wildcard()) {
        audio.direction = model::sends(audio.direction) ? Direction::SendOnly : Direction::Inactive;
    }
    audio.formats = section.formats;
    audio.ptime_ms = section.ptime_ms;
    audio.is_savp = is_savp(section);
    audio.crypto = section.crypto;
    return audio;
}

}  // namespace

base::Result<model::RemoteSdp> parse_sdp(std::string_view text) {
    const auto malformed = [](std::string why) {
        return base::fail(ErrorCode::Malformed, std::move(why));
    };
    if (text.size() > kMaxSdpBytes) return malformed("session description too long");
    if (text.find('\0') != std::string_view::npos)
        return malformed("a zero byte in the session description");
    const std::string_view whole = text;
    model::RemoteSdp remote;
    Section session;
    std::vector<Section> sections;
    bool has_version = false;
    bool has_origin = false;
    std::size_t lines = 0;
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty())
            continue;  // the LF of CRLF, or a blank line that some peers leave at the end
        if (++lines > kMaxLines) return malformed("too many lines in the session description");
        if (line.size() < 2 || line[1] != '=')
            return malformed("a line of the session description is not x=...");
        const std::string_view value = line.substr(2);
        Section& current = sections.empty() ? session : sections.back();
        switch (line[0]) {
            case 'v':
                if (value != "0") return malformed("session description of another version");
                has_version = true;
                break;
            case 'o':
                has_origin = read_origin(value, remote);
                if (!has_origin) return malformed("broken o= line");
                break;
            case 'c':
                // A media-level address of any kind replaces the session's, also one that we cannot
                // use.
                current.connection = read_connection(value);
                break;
            case 'm': {
                auto section = read_media(value);
                if (!section) return malformed("broken m= line");
                if (sections.size() >= kMaxMediaLines) return malformed("more than 16 m= lines");
                section->connection = session.connection;
                section->direction = session.direction;
                section->ptime_ms = session.ptime_ms;
                sections.push_back(std::move(*section));
                break;
            }
            case 'a':
                read_attribute(value, current);
                break;
            default:
                break;
        }
    }
    if (!has_version || !has_origin) return malformed("session description without v= or o=");
    if (sections.empty()) return malformed("session description without m=");

    for (Section& section : sections) {
        std::erase_if(section.formats,
                      [](const model::SdpFormat& f) { return f.encoding.empty(); });
        if (is_acceptable(section)) {
            remote.audio_lines.push_back(audio_of(section));
            remote.audio_lines.back().line = remote.lines.size();
            section.line.is_chosen = remote.audio_lines.size() == 1;
        }
        remote.lines.push_back(std::move(section.line));
    }
    if (!remote.audio_lines.empty()) {
        remote.audio = remote.audio_lines.front();
    } else if (sdp::is_web(whole)) {
        remote.web_text = whole;
    }
    return remote;
}

bool is_usable(const model::RemoteSdp& remote) noexcept {
    return remote.audio.rtp_port != 0 || !remote.web_text.empty();
}

std::string write_sdp(const model::LocalSdp& local) {
    if (!local.web_text.empty()) return local.web_text;
    const auto address = SocketAddress::parse(local.address, 0);
    const std::string connection =
        std::string(address && address->family() == AF_INET6 ? "IN IP6 " : "IN IP4 ") +
        local.address;
    std::string text = "v=0\r\no=offhook " + local.session_id + ' ' +
                       std::to_string(local.version) + ' ' + connection +
                       "\r\ns=offhook\r\nc=" + connection + "\r\nt=0 0\r\n";
    const auto write_audio = [&](std::string_view protocol) {
        text += "m=audio " + std::to_string(local.rtp_port) + ' ' + std::string(protocol);
        for (const model::SdpFormat& format : local.formats)
            text += ' ' + std::to_string(format.payload_type);
        text += "\r\n";
        for (const model::SdpFormat& format : local.formats) {
            const std::string number = std::to_string(format.payload_type);
            text += "a=rtpmap:" + number + ' ' + format.encoding + '/' +
                    std::to_string(format.clock_hz);
            if (format.channels > 1) text += '/' + std::to_string(format.channels);
            text += "\r\n";
            const bool is_event = same(format.encoding, "telephone-event");
            const std::string& fmtp = format.fmtp.empty() && is_event ? "0-16" : format.fmtp;
            if (!fmtp.empty()) text += "a=fmtp:" + number + ' ' + fmtp + "\r\n";
        }
        text += "a=ptime:" + std::to_string(model::kPtimeMs) + "\r\n";
        if (local.rtcp_mux) text += "a=rtcp-mux\r\n";
        for (const model::SdpCrypto& crypto : local.crypto)
            text += "a=crypto:" + model::write_crypto(crypto) + "\r\n";
        text += "a=" + std::string(model::name_of(local.direction)) + "\r\n";
    };
    if (local.lines.empty()) write_audio(local.protocol);
    for (const model::SdpMediaLine& line : local.lines) {
        if (line.is_chosen) {
            write_audio(line.protocol);
        } else {
            text += "m=" + line.media + " 0 " + line.protocol + ' ' + line.formats + "\r\n";
        }
    }
    return text;
}

}  // namespace offhook::signalling::sip
