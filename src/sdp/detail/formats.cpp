#include "sdp/detail/formats.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "sdp/detail/text.h"

namespace offhook::sdp::detail {
namespace {

using model::Direction;

constexpr std::size_t kMaxFormats = 64;
constexpr std::size_t kMaxString = 256;

struct StaticType {
    std::uint8_t payload_type;
    std::string_view encoding;
};
// RFC 3551 §6, those at 8000 Hz that somebody may still list without rtpmap.
constexpr std::array<StaticType, 6> kStaticTypes{
    {{0, "PCMU"}, {3, "GSM"}, {8, "PCMA"}, {9, "G722"}, {13, "CN"}, {18, "G729"}}};
constexpr std::uint32_t kStaticClockHz = 8000;

using Formats = std::vector<model::SdpFormat>;

Formats::iterator find(Formats& formats, std::optional<std::uint8_t> payload_type) {
    return std::find_if(formats.begin(), formats.end(), [&](const model::SdpFormat& format) {
        return format.payload_type == payload_type;
    });
}

void read_rtpmap(std::string_view value, Formats& formats) {
    const auto format = find(formats, number_in<std::uint8_t>(take(value), 0, 127));
    if (format == formats.end()) return;
    std::string_view mapping = take(value);
    const std::string_view encoding = take(mapping, '/');
    const auto clock_hz = number_in<std::uint32_t>(take(mapping, '/'), 1, 1'000'000);
    const auto channels =
        mapping.empty() ? std::optional<std::uint8_t>(1) : number_in<std::uint8_t>(mapping, 1, 255);
    if (!is_word(encoding, kMaxString) || !clock_hz || !channels) return;
    format->encoding = encoding;
    format->clock_hz = *clock_hz;
    format->channels = *channels;
}

void read_fmtp(std::string_view value, Formats& formats) {
    const auto format = find(formats, number_in<std::uint8_t>(take(value), 0, 127));
    if (format != formats.end() && format->fmtp.empty()) format->fmtp = value.substr(0, kMaxString);
}

}  // namespace

std::vector<model::SdpFormat> read_formats(const Section& section) {
    Formats formats;
    for (std::string_view rest = section.formats; !rest.empty() && formats.size() < kMaxFormats;) {
        const auto payload_type = number_in<std::uint8_t>(take(rest), 0, 127);
        if (!payload_type || find(formats, payload_type) != formats.end()) continue;
        model::SdpFormat format;
        format.payload_type = *payload_type;
        for (const StaticType& known : kStaticTypes) {
            if (known.payload_type != *payload_type) continue;
            format.encoding = known.encoding;
            format.clock_hz = kStaticClockHz;
        }
        formats.push_back(std::move(format));
    }
    for (const Attribute& attribute : section.attributes) {
        if (same(attribute.name, "rtpmap")) read_rtpmap(attribute.value, formats);
        if (same(attribute.name, "fmtp")) read_fmtp(attribute.value, formats);
    }
    std::erase_if(formats, [](const model::SdpFormat& format) { return format.encoding.empty(); });
    return formats;
}

std::string write_formats(const std::vector<model::SdpFormat>& formats) {
    std::string text;
    for (const model::SdpFormat& format : formats) {
        const std::string number = std::to_string(format.payload_type);
        text +=
            "a=rtpmap:" + number + ' ' + format.encoding + '/' + std::to_string(format.clock_hz);
        if (format.channels > 1) text += '/' + std::to_string(format.channels);
        text += "\r\n";
        if (!format.fmtp.empty()) text += "a=fmtp:" + number + ' ' + format.fmtp + "\r\n";
    }
    return text;
}

std::optional<Direction> read_direction(const Section& section) {
    std::optional<Direction> read;
    for (const Attribute& attribute : section.attributes) {
        if (const auto direction = model::direction_named(attribute.name)) read = direction;
    }
    return read;
}

}  // namespace offhook::sdp::detail
