#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace offhook::test {

inline std::vector<std::int16_t> tone(double hz,
                                      double amplitude,
                                      std::uint32_t rate_hz,
                                      std::size_t samples) {
    std::vector<std::int16_t> pcm(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        pcm[i] = static_cast<std::int16_t>(
            std::lround(amplitude * std::sin(2 * std::numbers::pi * hz * t)));
    }
    return pcm;
}

inline double rms(std::span<const std::int16_t> pcm) {
    double power = 0;
    for (const std::int16_t sample : pcm) power += double{1} * sample * sample;
    return pcm.empty() ? 0 : std::sqrt(power / static_cast<double>(pcm.size()));
}

/// Amplitude of the part of `pcm` that is at `hz`.
inline double amplitude_at(double hz, std::uint32_t rate_hz, std::span<const std::int16_t> pcm) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz;
        re += pcm[i] * std::cos(phase);
        im += pcm[i] * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(pcm.size());
}

/// The largest step between neighbours: a click shows here.
inline int max_step(std::span<const std::int16_t> pcm) {
    int worst = 0;
    for (std::size_t i = 1; i < pcm.size(); ++i)
        worst = std::max(worst, std::abs(pcm[i] - pcm[i - 1]));
    return worst;
}

}  // namespace offhook::test
