#include "ai/oscillator.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace offhook::ai {

Oscillator::Oscillator(std::uint32_t sample_rate_hz,
                       double frequency_hz,
                       double level_dbov) noexcept
    : sample_rate_hz_(sample_rate_hz),
      amplitude_(std::min(32767.0, 32768 * std::numbers::sqrt2 * std::pow(10, level_dbov / 20))) {
    set_frequency(frequency_hz);
}

void Oscillator::set_frequency(double frequency_hz) noexcept {
    const double step = 2 * std::numbers::pi * frequency_hz / sample_rate_hz_;
    step_re_ = std::cos(step);
    step_im_ = std::sin(step);
}

void Oscillator::fill(std::span<std::int16_t> pcm) noexcept {
    double re = re_;
    double im = im_;
    for (std::int16_t& sample : pcm) {
        const double value = amplitude_ * im;
        sample = static_cast<std::int16_t>(value + (value < 0 ? -0.5 : 0.5));
        const double next_re = re * step_re_ - im * step_im_;
        im = re * step_im_ + im * step_re_;
        re = next_re;
    }
    const double length = std::hypot(re, im);  // rounding makes the circle a spiral
    re_ = re / length;
    im_ = im / length;
}

}  // namespace offhook::ai
