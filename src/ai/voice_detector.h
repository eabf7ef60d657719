#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ai/noise_floor.h"

namespace offhook::ai {

/// Tells a voice from what else comes over a telephone, 20 ms at a time.
///
///     frame -> level
///       '----> low-pass, 4 kHz -> above the noise? -> one or two lines (tone, DTMF)? -> periodic?
///
/// A voice is loud against the noise of the last seconds, repeats itself 60 to 400 times a second,
/// and is more than two sines. Clicks, steady tones and DTMF are not; neither are fans and comfort
/// noise. Music may be.
/// @thread one
class VoiceDetector {
public:
    struct Verdict {
        double level_dbov = -127;  ///< RMS of the whole frame
        double noise_dbov = -127;  ///< where the whole band's floor is
        bool is_loud = false;      ///< stands out of the noise
        bool is_voice = false;     ///< a voiced sound; `is_loud` as well
    };

    /// @param sample_rate_hz 8000 or 16000
    explicit VoiceDetector(std::uint32_t sample_rate_hz) noexcept;

    /// Samples of a frame.
    [[nodiscard]] std::size_t frame() const noexcept { return frame_; }
    /// @param pcm  `frame()` samples
    Verdict hear(std::span<const std::int16_t> pcm) noexcept;

private:
    static constexpr std::size_t kNew = 80;    ///< samples at 4 kHz in a frame
    static constexpr std::size_t kBand = 200;  ///< of the band kept: 50 ms
    static constexpr std::size_t kMostTaps = 32;
    static constexpr std::size_t kMostFrame = 320;

    void take_band(std::span<const std::int16_t> pcm) noexcept;
    [[nodiscard]] double band_dbov() const noexcept;
    [[nodiscard]] double tone_rest() const noexcept;
    [[nodiscard]] bool is_periodic() const noexcept;

    const std::size_t frame_;
    const std::size_t step_;  ///< samples of ours for one of the band
    const std::size_t taps_;
    std::array<float, kMostTaps> low_pass_{};
    std::array<float, kMostFrame + kMostTaps> input_{};  ///< taps of the past, then the frame
    alignas(16) std::array<float, kBand> band_{};        ///< 100 to 1,700 Hz at 4 kHz, newest last
    float high_pass_in_ = 0;
    float high_pass_out_ = 0;
    NoiseFloor floor_;       ///< of the whole
    NoiseFloor band_floor_;  ///< of the band
};

}  // namespace offhook::ai
