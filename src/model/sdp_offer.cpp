#include "model/sdp_offer.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace offhook::model {
namespace {

struct EventType {
    std::uint32_t clock_hz;
    std::uint8_t payload_type;
};
constexpr std::array kEventTypes{
    EventType{8000, 101}, EventType{48000, 102}, EventType{16000, 103}};

/// The clock of the events that everybody has.
constexpr std::uint32_t kCommonEventClockHz = 8000;
constexpr std::uint8_t kStaticComfortNoise = 13;

constexpr std::array kDirections{
    Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive};

bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), b.size()) == 0;
}

bool matches(const SdpFormat& format, const CodecFacts& facts) {
    return same(format.encoding, facts.rtp_encoding) && format.clock_hz == facts.rtp_clock_hz &&
           (format.channels == facts.rtp_channels);
}

SdpFormat telephone_event(std::uint8_t payload_type, std::uint32_t clock_hz) {
    return SdpFormat{payload_type, "telephone-event", clock_hz, 1, "0-16"};
}

SdpFormat format_of(const CodecFacts& facts, std::uint8_t payload_type) {
    SdpFormat format{
        payload_type, std::string(facts.rtp_encoding), facts.rtp_clock_hz, facts.rtp_channels, {}};
    // Mono at 16 kHz is what we decode and encode; no DTX, since a silent second must still be 50
    // packets.
    if (facts.codec == Codec::Opus || facts.codec == Codec::Opus16) {
        format.fmtp =
            "maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;usedtx=0;useinbandfec=1";
    }
    return format;
}

const SdpFormat* find_format(const RemoteAudio& remote,
                             std::string_view encoding,
                             std::uint32_t clock_hz) {
    for (const SdpFormat& format : remote.formats) {
        if (same(format.encoding, encoding) && format.clock_hz == clock_hz) return &format;
    }
    return nullptr;
}

void choose_events(const RemoteAudio& remote, std::uint32_t clock_hz, ChosenAudio& chosen) {
    const SdpFormat* event = find_format(remote, "telephone-event", clock_hz);
    if (!event) event = find_format(remote, "telephone-event", kCommonEventClockHz);
    if (!event) return;
    chosen.telephone_event_type = event->payload_type;
    chosen.telephone_event_clock_hz = event->clock_hz;
}

void choose_comfort_noise(const RemoteAudio& remote, std::uint32_t clock_hz, ChosenAudio& chosen) {
    if (const SdpFormat* noise = find_format(remote, "CN", clock_hz)) {
        chosen.comfort_noise_type = noise->payload_type;
        return;
    }
    // Static, so that some send it without a word (RFC 3389 §4); unless the number is another's.
    const bool is_taken =
        std::any_of(remote.formats.begin(), remote.formats.end(), [](const SdpFormat& format) {
            return format.payload_type == kStaticComfortNoise && !same(format.encoding, "CN");
        });
    if (clock_hz == 8000 && !is_taken) chosen.comfort_noise_type = kStaticComfortNoise;
}

}  // namespace

std::string_view name_of(Direction direction) noexcept {
    switch (direction) {
        case Direction::SendRecv:
            return "sendrecv";
        case Direction::SendOnly:
            return "sendonly";
        case Direction::RecvOnly:
            return "recvonly";
        case Direction::Inactive:
            break;
    }
    return "inactive";
}

std::optional<Direction> direction_named(std::string_view name) noexcept {
    const auto found =
        std::find_if(kDirections.begin(), kDirections.end(), [&](Direction direction) {
            return same(name, name_of(direction));
        });
    return found == kDirections.end() ? std::nullopt : std::optional(*found);
}

std::optional<ChosenAudio> choose_codec(const RemoteAudio& remote, const std::vector<Codec>& ours) {
    for (const Codec codec : ours) {
        const CodecFacts& facts = facts_of(codec);
        for (const SdpFormat& format : remote.formats) {
            if (!matches(format, facts)) continue;
            ChosenAudio chosen;
            chosen.codec = codec;
            chosen.payload_type = format.payload_type;
            chosen.fmtp = format.fmtp;
            chosen.rtcp_mux = remote.rtcp_mux;
            choose_events(remote, facts.rtp_clock_hz, chosen);
            choose_comfort_noise(remote, facts.rtp_clock_hz, chosen);
            return chosen;
        }
    }
    return std::nullopt;
}

std::vector<SdpFormat> answer_formats(const ChosenAudio& chosen) {
    const CodecFacts& facts = facts_of(chosen.codec);
    std::vector<SdpFormat> formats{format_of(facts, chosen.payload_type)};
    if (chosen.telephone_event_type) {
        const std::uint32_t clock_hz = chosen.telephone_event_clock_hz;
        formats.push_back(telephone_event(*chosen.telephone_event_type,
                                          clock_hz != 0 ? clock_hz : facts.rtp_clock_hz));
    }
    return formats;
}

std::vector<SdpFormat> offer_formats(const std::vector<Codec>& ours) {
    std::vector<SdpFormat> formats;
    for (const Codec codec : ours) {
        const CodecFacts& facts = facts_of(codec);
        formats.push_back(format_of(facts, facts.default_payload_type));
    }
    for (const EventType& type : kEventTypes) {
        if (std::any_of(ours.begin(), ours.end(), [&](Codec codec) {
                return facts_of(codec).rtp_clock_hz == type.clock_hz;
            })) {
            formats.push_back(telephone_event(type.payload_type, type.clock_hz));
        }
    }
    return formats;
}

}  // namespace offhook::model
