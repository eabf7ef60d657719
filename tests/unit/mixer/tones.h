#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace offhook::mixer {

inline constexpr std::uint32_t kRateHz = 16'000;

/// A sine that goes on from piece to piece.
class Tone {
public:
    explicit Tone(double hz, double amplitude = 3'000, std::uint32_t rate_hz = kRateHz)
        : hz_(hz), amplitude_(amplitude), rate_hz_(rate_hz) {}
    std::vector<std::int16_t> next(std::size_t samples);

private:
    double hz_, amplitude_;
    std::uint32_t rate_hz_;
    std::uint64_t at_ = 0;
};

/// Amplitude of one frequency.
[[nodiscard]] double amplitude_of(std::span<const std::int16_t> pcm,
                                  double hz,
                                  std::uint32_t rate_hz = kRateHz);

/// The most by which the tone of this frequency, alone in `pcm`, is off what its two neighbours
/// say of a sample (x[n] = 2 cos(w) x[n-1] - x[n-2]): a jump in value or phase shows here.
[[nodiscard]] int roughness_of(std::span<const std::int16_t> pcm,
                               double hz,
                               std::uint32_t rate_hz = kRateHz);

}  // namespace offhook::mixer
