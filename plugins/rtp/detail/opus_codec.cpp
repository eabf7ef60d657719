#include "rtp/detail/opus_codec.h"

#include <opus.h>

#include <algorithm>
#include <array>
#include <new>

#include "model/codec.h"

namespace offhook::rtp::detail {
namespace {

constexpr std::uint32_t kSampleRateHz = 16000;
constexpr std::size_t kSamplesPerMs = kSampleRateHz / 1000;

class OpusSoundDecoder final : public Decoder {
public:
    OpusSoundDecoder() : state_(opus_decoder_create(kSampleRateHz, 1, nullptr)) {
        if (!state_) throw std::bad_alloc();
    }
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t decode(std::span<const std::uint8_t> payload,
                       std::span<std::int16_t> pcm) noexcept override {
        // An empty payload would be libopus' word for "lost".
        if (payload.empty() || payload.size() > model::kMaxPayloadBytes) return 0;
        const int n = opus_decode(state_.get(),
                                  payload.data(),
                                  static_cast<opus_int32>(payload.size()),
                                  pcm.data(),
                                  static_cast<int>(pcm.size()),
                                  0);
        if (n <= 0) return 0;
        const std::span<std::int16_t> out = pcm.first(static_cast<std::size_t>(n));
        if (concealed_ != 0) fade_in(out);
        return out.size();
    }

    void conceal(std::span<std::int16_t> pcm) noexcept override {
        while (!pcm.empty()) {
            const std::size_t n = std::min(pcm.size(), kBlock);
            if (concealed_ >= kSilent) {
                std::fill_n(pcm.begin(), n, std::int16_t{0});
            } else {
                conceal_block(pcm.first(n));
            }
            concealed_ = std::min(concealed_ + n, kSilent);
            pcm = pcm.subspan(n);
        }
    }

    // RFC 6716 §2.1.9: libopus ends a talk spurt with a packet of one byte (older ones two).
    [[nodiscard]] bool begins_pause(std::span<const std::uint8_t> payload) const override {
        return payload.size() <= 2;
    }

    // Asked for nothing again and again, libopus goes over to the background it remembers.
    void background(std::span<std::int16_t> pcm) noexcept override {
        while (!pcm.empty()) {
            const std::span<std::int16_t> part = pcm.first(std::min(pcm.size(), kBlock));
            if (opus_decode(
                    state_.get(), nullptr, 0, part.data(), static_cast<int>(part.size()), 0) < 0) {
                std::fill(part.begin(), part.end(), std::int16_t{0});
            }
            pcm = pcm.subspan(part.size());
        }
    }

private:
    static constexpr std::size_t kBlock = 20 * kSamplesPerMs;
    static constexpr std::size_t kStep = 10 * kSamplesPerMs;
    static constexpr std::size_t kFull = 20 * kSamplesPerMs;
    static constexpr std::size_t kSilent = 60 * kSamplesPerMs;
    static constexpr std::size_t kJoin = 5 * kSamplesPerMs;

    struct Free {
        void operator()(OpusDecoder* state) const { opus_decoder_destroy(state); }
    };

    // Below steps of 10 ms libopus' speech mode breaks the wave; the rest of a step is kept for the
    // next call. It falls silent only slowly: the fade is ours.
    void conceal_block(std::span<std::int16_t> pcm) noexcept {
        for (std::size_t i = 0; i < pcm.size(); ++i) {
            if (spare_ == 0) {
                if (opus_decode(
                        state_.get(), nullptr, 0, made_.data(), static_cast<int>(kStep), 0) < 0) {
                    made_.fill(0);
                }
                spare_ = kStep;
            }
            pcm[i] =
                static_cast<std::int16_t>(made_[kStep - spare_--] * gain(concealed_ + i) / gain(0));
        }
    }

    /// Of kSilent - kFull.
    static std::int32_t gain(std::size_t concealed) noexcept {
        return static_cast<std::int32_t>(kSilent - std::clamp(concealed, kFull, kSilent));
    }

    // libopus makes its own join with the concealment it made. What of that was not played fades
    // into the good sound, and our gain goes back up from where the fade left it.
    void fade_in(std::span<std::int16_t> pcm) noexcept {
        const std::size_t n = std::min(pcm.size(), spare_);
        for (std::size_t i = 0; i < n; ++i) {
            const auto in = static_cast<std::int32_t>(i + 1);
            const auto all = static_cast<std::int32_t>(n + 1);
            pcm[i] = static_cast<std::int16_t>(
                (pcm[i] * in + made_[kStep - spare_ + i] * (all - in)) / all);
        }
        const std::int32_t full = gain(0);
        const std::int32_t from = gain(concealed_);
        const std::size_t up = std::min(pcm.size(), kJoin);
        for (std::size_t i = 0; i < up; ++i) {
            const std::int32_t g =
                from + (full - from) * static_cast<std::int32_t>(i) / static_cast<std::int32_t>(up);
            pcm[i] = static_cast<std::int16_t>(pcm[i] * g / full);
        }
        concealed_ = 0;
        spare_ = 0;
    }

    std::unique_ptr<OpusDecoder, Free> state_;
    std::size_t concealed_ = 0;
    std::array<std::int16_t, kStep> made_{};
    std::size_t spare_ = 0;  ///< samples at the end of `made_` not played yet
};

class OpusSoundEncoder final : public Encoder {
public:
    explicit OpusSoundEncoder(const CodecSettings& settings)
        : state_(opus_encoder_create(kSampleRateHz, 1, OPUS_APPLICATION_VOIP, nullptr)) {
        if (!state_) throw std::bad_alloc();
        opus_encoder_ctl(state_.get(),
                         OPUS_SET_COMPLEXITY(std::clamp(settings.opus_complexity, 0, 10)));
        opus_encoder_ctl(state_.get(),
                         OPUS_SET_BITRATE(std::clamp(settings.opus_bitrate_bps, 6000, 64000)));
        opus_encoder_ctl(state_.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
        opus_encoder_ctl(state_.get(), OPUS_SET_VBR(1));
        opus_encoder_ctl(state_.get(), OPUS_SET_VBR_CONSTRAINT(1));
        opus_encoder_ctl(state_.get(), OPUS_SET_DTX(0));
    }
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t encode(std::span<const std::int16_t> pcm,
                       std::span<std::uint8_t> payload) noexcept override {
        const opus_int32 n = opus_encode(state_.get(),
                                         pcm.data(),
                                         static_cast<int>(pcm.size()),
                                         payload.data(),
                                         static_cast<opus_int32>(payload.size()));
        if (n > 0) return static_cast<std::size_t>(n);
        // Cannot happen with 20 ms and room; a table-of-contents byte alone (SILK wideband, 20 ms,
        // code 0) is a valid empty frame (RFC 6716 §3.2.1), and a packet leaves all the same.
        if (payload.empty()) return 0;
        payload[0] = 0x48;
        return 1;
    }

private:
    struct Free {
        void operator()(OpusEncoder* state) const { opus_encoder_destroy(state); }
    };
    std::unique_ptr<OpusEncoder, Free> state_;
};

}  // namespace

std::unique_ptr<Decoder> make_opus_decoder() {
    return std::make_unique<OpusSoundDecoder>();
}
std::unique_ptr<Encoder> make_opus_encoder(const CodecSettings& settings) {
    return std::make_unique<OpusSoundEncoder>(settings);
}

}  // namespace offhook::rtp::detail
