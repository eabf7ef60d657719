#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace offhook::model {

/// Packet time of every stream we send (RFC 3551 §4.2 default), and the media path's frame.
inline constexpr int kPtimeMs = 20;

enum class Codec : std::uint8_t { Pcmu, Pcma, G722, Opus, Opus16 };

/// What is fixed about a codec. Sample rate (what the PCM side runs at) is not the RTP clock rate:
/// G.722 has 16000 vs 8000 (RFC 3551 §4.5.2), Opus always 48000 on the wire (RFC 7587 §4.1) but for
/// the "OPUS/16000" of RingCentral, whose timestamps count 320 to 20 ms: a codec of its own here.
struct CodecFacts {
    Codec codec;
    std::string_view
        name;  ///< the name of our configuration and logs: "PCMU", "PCMA", "G722", "opus", "opus16"
    std::string_view rtp_encoding;  ///< the encoding name of a=rtpmap, compared without case
    std::uint32_t rtp_clock_hz;
    std::uint32_t sample_rate_hz;  ///< PCM rate on our side, mono S16
    std::uint8_t rtp_channels;     ///< channels in a=rtpmap (Opus: 2, RFC 7587 §7; opus16: none)
    std::optional<std::uint8_t> static_payload_type;
    std::uint8_t default_payload_type;  ///< what our own offers use
};

inline constexpr std::array<CodecFacts, 5> kCodecs{{
    {Codec::Pcmu, "PCMU", "PCMU", 8000, 8000, 1, 0, 0},
    {Codec::Pcma, "PCMA", "PCMA", 8000, 8000, 1, 8, 8},
    {Codec::G722, "G722", "G722", 8000, 16000, 1, 9, 9},
    {Codec::Opus, "opus", "opus", 48000, 16000, 2, std::nullopt, 96},
    {Codec::Opus16, "opus16", "OPUS", 16000, 16000, 1, std::nullopt, 109},
}};

[[nodiscard]] constexpr const CodecFacts& facts_of(Codec codec) noexcept {
    return kCodecs[static_cast<std::size_t>(codec)];
}

/// By configuration name, without regard to case ("PCMU", "opus"); empty when there is none.
[[nodiscard]] std::optional<Codec> codec_by_name(std::string_view name) noexcept;

/// PCM samples in one 20 ms frame: 160 or 320.
[[nodiscard]] constexpr std::size_t frame_samples(std::uint32_t sample_rate_hz) noexcept {
    return sample_rate_hz / 1000 * kPtimeMs;
}

/// The most PCM samples one received packet may decode to: 120 ms (Opus' longest) at 16 kHz.
inline constexpr std::size_t kMaxPacketSamples = 1920;
/// The most bytes of RTP payload we accept or send.
inline constexpr std::size_t kMaxPayloadBytes = 1500;

}  // namespace offhook::model
