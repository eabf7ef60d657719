#include "caller/sdp_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "caller/sip_uri.h"

namespace offhook::caller {
namespace {

constexpr std::size_t kMaxFormats = 64;
constexpr std::size_t kMaxCrypto = 8;
constexpr int kMaxLines = 512;

std::string_view direction_name(model::Direction direction) {
    constexpr std::array<std::string_view, 4> kNames{
        "sendrecv", "sendonly", "recvonly", "inactive"};
    return kNames[static_cast<std::size_t>(direction)];
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    return status == std::errc{} && end == text.data() + text.size();
}

std::string_view take_word(std::string_view& rest) {
    rest = trim(rest);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

/// "IN IP4 192.0.2.1" with an optional "/ttl".
std::string connection_address(std::string_view value) {
    (void)take_word(value);
    (void)take_word(value);
    const std::string_view address = take_word(value);
    return std::string(address.substr(0, std::min(address.find('/'), std::size_t{64})));
}

model::SdpFormat static_format(std::uint8_t payload_type) {
    for (const model::CodecFacts& facts : model::kCodecs) {
        if (facts.static_payload_type == payload_type) {
            return {payload_type,
                    std::string(facts.rtp_encoding),
                    facts.rtp_clock_hz,
                    facts.rtp_channels,
                    {}};
        }
    }
    return {payload_type, {}, 0, 1, {}};
}

bool parse_media_line(std::string_view value, model::RemoteAudio& audio) {
    (void)take_word(value);
    std::string_view port = take_word(value);
    port = port.substr(0, port.find('/'));
    if (!parse_number(port, audio.rtp_port)) return false;
    audio.is_savp = take_word(value).substr(0, 8) == "RTP/SAVP";
    for (std::string_view word = take_word(value); !word.empty(); word = take_word(value)) {
        std::uint8_t payload_type = 0;
        if (!parse_number(word, payload_type) || payload_type > 127) return false;
        if (audio.formats.size() < kMaxFormats)
            audio.formats.push_back(static_format(payload_type));
    }
    audio.rtcp_port =
        audio.rtp_port == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(audio.rtp_port + 1);
    return true;
}

model::SdpFormat* format_named(std::string_view& value, model::RemoteAudio& audio) {
    std::uint8_t payload_type = 0;
    if (!parse_number(take_word(value), payload_type)) return nullptr;
    const auto found = std::find_if(
        audio.formats.begin(), audio.formats.end(), [&](const model::SdpFormat& format) {
            return format.payload_type == payload_type;
        });
    return found == audio.formats.end() ? nullptr : &*found;
}

void parse_rtpmap(std::string_view value, model::RemoteAudio& audio) {
    model::SdpFormat* format = format_named(value, audio);
    if (format == nullptr) return;
    const std::string_view map = trim(value);
    const std::size_t clock = map.find('/');
    if (clock == std::string_view::npos) return;
    const std::size_t channels = map.find('/', clock + 1);
    std::uint32_t hz = 0;
    std::uint8_t count = 1;
    if (!parse_number(
            map.substr(clock + 1,
                       channels == std::string_view::npos ? channels : channels - clock - 1),
            hz)) {
        return;
    }
    if (channels != std::string_view::npos && !parse_number(map.substr(channels + 1), count))
        return;
    format->encoding = std::string(map.substr(0, std::min(clock, std::size_t{64})));
    format->clock_hz = hz;
    format->channels = count;
}

std::optional<model::Direction> parse_direction(std::string_view name) {
    for (const auto direction : {model::Direction::SendRecv,
                                 model::Direction::SendOnly,
                                 model::Direction::RecvOnly,
                                 model::Direction::Inactive}) {
        if (name == direction_name(direction)) return direction;
    }
    return std::nullopt;
}

void parse_attribute(std::string_view value, model::RemoteAudio& audio) {
    const std::size_t colon = value.find(':');
    const std::string_view name = value.substr(0, colon);
    std::string_view rest =
        colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
    if (const auto direction = parse_direction(name)) {
        audio.direction = *direction;
    } else if (name == "rtpmap") {
        parse_rtpmap(rest, audio);
    } else if (name == "fmtp") {
        if (model::SdpFormat* format = format_named(rest, audio))
            format->fmtp = std::string(trim(rest).substr(0, 256));
    } else if (name == "ptime") {
        int ms = 0;
        if (parse_number(trim(rest), ms) && ms > 0 && ms <= 200) audio.ptime_ms = ms;
    } else if (name == "rtcp-mux") {
        audio.rtcp_mux = true;
    } else if (name == "crypto" && audio.crypto.size() < kMaxCrypto) {
        if (auto crypto = model::parse_crypto(rest)) audio.crypto.push_back(std::move(*crypto));
    }
}

}  // namespace

std::string write_sdp(const OwnSdp& sdp) {
    const std::string connection =
        "IN " + std::string(sdp.media.sdp_family()) + " " + sdp.media.host();
    std::string media = "m=audio " + std::to_string(sdp.media.port()) +
                        (sdp.crypto.empty() ? " RTP/AVP" : " RTP/SAVP");
    std::string attributes;
    for (const model::SdpCrypto& crypto : sdp.crypto)
        attributes += "a=crypto:" + model::write_crypto(crypto) + "\r\n";
    for (const model::SdpFormat& format : sdp.formats) {
        const std::string number = std::to_string(format.payload_type);
        media += " " + number;
        attributes +=
            "a=rtpmap:" + number + " " + format.encoding + "/" + std::to_string(format.clock_hz);
        if (format.channels > 1) attributes += "/" + std::to_string(format.channels);
        attributes += "\r\n";
        if (!format.fmtp.empty()) attributes += "a=fmtp:" + number + " " + format.fmtp + "\r\n";
    }
    return "v=0\r\no=offhook " + std::to_string(sdp.session_id) + " " +
           std::to_string(sdp.version) + " " + connection + "\r\ns=-\r\nc=" + connection +
           "\r\nt=0 0\r\n" + media + "\r\n" + attributes +
           "a=ptime:20\r\na=" + std::string(direction_name(sdp.direction)) + "\r\n";
}

base::Result<model::RemoteAudio> parse_sdp(std::string_view text) {
    model::RemoteAudio audio;
    std::string session_address;
    model::Direction session_direction = model::Direction::SendRecv;
    enum class Where { Session, Audio, Elsewhere } where = Where::Session;
    bool has_audio = false;
    if (text.substr(0, 2) != "v=")
        return base::fail(base::ErrorCode::Malformed, "the SDP does not begin with v=");
    for (int lines = 0; !text.empty() && lines < kMaxLines; ++lines) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) continue;
        if (line.size() < 2 || line[1] != '=')
            return base::fail(base::ErrorCode::Malformed, "the SDP has a line without =");
        const std::string_view value = line.substr(2);
        if (line[0] == 'm') {
            const bool is_audio = value.substr(0, 6) == "audio ";
            where = is_audio && !has_audio ? Where::Audio : Where::Elsewhere;
            if (where != Where::Audio) continue;
            has_audio = true;
            audio.direction = session_direction;
            if (!parse_media_line(value, audio)) {
                return base::fail(base::ErrorCode::Malformed,
                                  "the SDP's m=audio line cannot be read");
            }
        } else if (line[0] == 'c' && where != Where::Elsewhere) {
            (where == Where::Audio ? audio.address : session_address) = connection_address(value);
        } else if (line[0] == 'a' && where == Where::Audio) {
            parse_attribute(value, audio);
        } else if (line[0] == 'a' && where == Where::Session) {
            if (const auto direction = parse_direction(value)) session_direction = *direction;
        }
    }
    if (!has_audio) return base::fail(base::ErrorCode::NotFound, "the SDP has no audio line");
    if (audio.address.empty()) audio.address = session_address;
    return audio;
}

}  // namespace offhook::caller
