#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "model/codec.h"

namespace offhook::rtp {

/// Turns RTP payloads of one stream into mono S16 at `sample_rate_hz()`, and makes up for lost
/// ones. Stateful; one per call and direction. Nothing allocates after construction.
/// @thread one (the call's media worker)
class Decoder {
public:
    virtual ~Decoder() = default;
    [[nodiscard]] virtual std::uint32_t sample_rate_hz() const noexcept = 0;
    /// Decodes one payload of any ptime up to 120 ms. @param pcm room for model::kMaxPacketSamples
    /// @return samples written; 0 when the payload is not one of this codec's
    virtual std::size_t decode(std::span<const std::uint8_t> payload,
                               std::span<std::int16_t> pcm) noexcept = 0;
    /// Makes `pcm.size()` samples of concealment (<= 20 ms a call) that continue what was decoded,
    /// fading to silence over consecutive calls (within 60 ms). The next `decode` joins without a
    /// click.
    virtual void conceal(std::span<std::int16_t> pcm) noexcept = 0;
    /// Whether this payload says that nothing follows for a while (DTX). It is decoded like any
    /// other.
    [[nodiscard]] virtual bool begins_pause(std::span<const std::uint8_t> /*payload*/) const {
        return false;
    }
    /// Makes the background that goes on during such a pause. @param pcm a multiple of 10 ms
    virtual void background(std::span<std::int16_t> pcm) noexcept { conceal(pcm); }
};

/// Turns 20 ms frames of mono S16 into payloads. Stateful; one per call. Nothing allocates after
/// construction.
/// @thread one (the call's media worker)
class Encoder {
public:
    virtual ~Encoder() = default;
    [[nodiscard]] virtual std::uint32_t sample_rate_hz() const noexcept = 0;
    /// @param pcm exactly model::frame_samples(sample_rate_hz()) samples
    /// @param payload room for model::kMaxPayloadBytes
    /// @return payload bytes; never 0 (no DTX: a silent frame is a packet as well)
    virtual std::size_t encode(std::span<const std::int16_t> pcm,
                               std::span<std::uint8_t> payload) noexcept = 0;
};

struct CodecSettings {
    int opus_complexity = 2;       ///< 0-10; 2.5 ms of CPU per call-second at 0, 13 at 10
    int opus_bitrate_bps = 24000;  ///< 6000-64000
};

[[nodiscard]] std::unique_ptr<Decoder> make_decoder(model::Codec codec);
[[nodiscard]] std::unique_ptr<Encoder> make_encoder(model::Codec codec,
                                                    const CodecSettings& settings = {});

}  // namespace offhook::rtp
