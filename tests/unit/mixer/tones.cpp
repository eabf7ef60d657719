#include "tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace offhook::mixer {

std::vector<std::int16_t> Tone::next(std::size_t samples) {
    std::vector<std::int16_t> pcm(samples);
    for (auto& sample : pcm) {
        const double phase = 2 * std::numbers::pi * hz_ * static_cast<double>(at_++) / rate_hz_;
        sample = static_cast<std::int16_t>(std::lround(amplitude_ * std::sin(phase)));
    }
    return pcm;
}

double amplitude_of(std::span<const std::int16_t> pcm, double hz, std::uint32_t rate_hz) {
    double re = 0, im = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz;
        re += pcm[i] * std::cos(phase);
        im += pcm[i] * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(pcm.size());
}

int roughness_of(std::span<const std::int16_t> pcm, double hz, std::uint32_t rate_hz) {
    const double twice_cos = 2 * std::cos(2 * std::numbers::pi * hz / rate_hz);
    double roughest = 0;
    for (std::size_t i = 2; i < pcm.size(); ++i) {
        roughest = std::max(roughest, std::abs(pcm[i] - twice_cos * pcm[i - 1] + pcm[i - 2]));
    }
    return static_cast<int>(std::lround(roughest));
}

}  // namespace offhook::mixer
