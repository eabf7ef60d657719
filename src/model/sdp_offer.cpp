#include "model/sdp_offer.h"

#include <strings.h>

namespace offhook::model {
namespace {

constexpr std::uint8_t kTelephoneEventType = 101;
constexpr std::uint8_t kTelephoneEvent48kType = 102;

bool same(const std::string& a, std::string_view b) {
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
    if (facts.codec == Codec::Opus) {
        format.fmtp =
            "maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;usedtx=0;useinbandfec=1";
    }
    return format;
}

}  // namespace

std::optional<ChosenAudio> choose_codec(const RemoteAudio& remote, const std::vector<Codec>& ours) {
    for (const Codec codec : ours) {
        const CodecFacts& facts = facts_of(codec);
        for (const SdpFormat& format : remote.formats) {
            if (!matches(format, facts)) continue;
            ChosenAudio chosen{
                codec, format.payload_type, std::nullopt, format.fmtp, remote.rtcp_mux};
            for (const SdpFormat& event : remote.formats) {
                if (same(event.encoding, "telephone-event") &&
                    event.clock_hz == facts.rtp_clock_hz) {
                    chosen.telephone_event_type = event.payload_type;
                    break;
                }
            }
            return chosen;
        }
    }
    return std::nullopt;
}

std::vector<SdpFormat> answer_formats(const ChosenAudio& chosen) {
    const CodecFacts& facts = facts_of(chosen.codec);
    std::vector<SdpFormat> formats{format_of(facts, chosen.payload_type)};
    if (chosen.telephone_event_type) {
        formats.push_back(telephone_event(*chosen.telephone_event_type, facts.rtp_clock_hz));
    }
    return formats;
}

std::vector<SdpFormat> offer_formats(const std::vector<Codec>& ours) {
    std::vector<SdpFormat> formats;
    bool any_opus = false;
    bool any_8k = false;
    for (const Codec codec : ours) {
        const CodecFacts& facts = facts_of(codec);
        formats.push_back(format_of(facts, facts.default_payload_type));
        (codec == Codec::Opus ? any_opus : any_8k) = true;
    }
    if (any_8k) formats.push_back(telephone_event(kTelephoneEventType, 8000));
    if (any_opus) formats.push_back(telephone_event(kTelephoneEvent48kType, 48000));
    return formats;
}

}  // namespace offhook::model
