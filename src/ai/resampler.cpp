#include "ai/resampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

namespace offhook::ai {
namespace {

// Kaiser's estimate for a transition from 0.84 to 1 of the lower Nyquist over 56 samples: 72 dB.
constexpr double kCutoff = 0.92;
constexpr double kBeta = 7.0;

double bessel_i0(double x) {
    double sum = 1;
    double term = 1;
    for (int k = 1; k < 40; ++k) {
        term *= (x / 2 / k) * (x / 2 / k);
        sum += term;
    }
    return sum;
}

}  // namespace

Resampler::Resampler(std::uint32_t from_hz, std::uint32_t to_hz)
    : from_hz_(from_hz), to_hz_(to_hz) {
    const std::uint32_t common = std::gcd(from_hz, to_hz);
    up_ = to_hz / common;
    down_ = from_hz / common;
    assert(up_ <= 6 && down_ <= 6);
    if (is_unity()) return;
    const std::size_t length = kSpan * std::max(up_, down_);
    taps_ = (length / up_ + kLanes - 1) / kLanes * kLanes;
    phases_.assign(taps_ * up_, 0.0F);
    const double centre = static_cast<double>(length) / 2;
    const double cutoff = kCutoff / static_cast<double>(std::max(up_, down_));
    for (std::size_t phase = 0; phase < up_; ++phase) {
        float* const row = phases_.data() + phase * taps_;
        double sum = 0;
        for (std::size_t k = 0; phase + k * up_ < length; ++k) {
            const double x = static_cast<double>(phase + k * up_) - centre;
            const double angle = std::numbers::pi * x * cutoff;
            const double sinc = std::abs(angle) < 1e-9 ? 1 : std::sin(angle) / angle;
            const double edge = x / centre;
            const double tap = sinc * bessel_i0(kBeta * std::sqrt(1 - edge * edge));
            // The newest sample stands last in the window.
            row[taps_ - 1 - k] = static_cast<float>(tap);
            sum += tap;
        }
        // Each phase by itself has gain 1 at 0 Hz, so that a constant has no ripple.
        for (std::size_t k = 0; k < taps_; ++k)
            row[k] = static_cast<float>(static_cast<double>(row[k]) / sum);
    }
}

std::size_t Resampler::output_samples(std::size_t input) const noexcept {
    if (is_unity()) return input;
    const std::size_t end = input * up_;
    return end > next_ ? (end - next_ + down_ - 1) / down_ : 0;
}

std::size_t Resampler::process(std::span<const std::int16_t> in,
                               std::span<std::int16_t> out) noexcept {
    assert(out.size() >= output_samples(in.size()));
    if (is_unity()) {
        std::copy(in.begin(), in.end(), out.begin());
        return in.size();
    }
    std::size_t written = 0;
    while (!in.empty()) {
        const std::size_t n = std::min(in.size(), kBlock);
        written += process_block(in.first(n), out.data() + written);
        in = in.subspan(n);
    }
    return written;
}

std::size_t Resampler::process_block(std::span<const std::int16_t> in, std::int16_t* out) noexcept {
    const std::size_t past = taps_ - 1;
    std::transform(in.begin(),
                   in.end(),
                   window_.begin() + static_cast<std::ptrdiff_t>(past),
                   [](std::int16_t sample) { return static_cast<float>(sample); });
    std::size_t written = 0;
    for (; next_ < in.size() * up_; next_ += down_) {
        const float* const x = window_.data() + next_ / up_;
        const float* const h = phases_.data() + next_ % up_ * taps_;
        std::array<float, kLanes> sums{};
        for (std::size_t k = 0; k < taps_; k += kLanes) {
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                sums[lane] += h[k + lane] * x[k + lane];
        }
        const float sum = std::accumulate(sums.begin(), sums.end(), 0.0F);
        out[written++] =
            static_cast<std::int16_t>(std::lrintf(std::clamp(sum, -32768.0F, 32767.0F)));
    }
    next_ -= in.size() * up_;
    std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(in.size()), past, window_.begin());
    return written;
}

void Resampler::forget() noexcept {
    window_.fill(0);
}

double Resampler::delay_ms() const noexcept {
    return is_unity() ? 0 : 1e3 * kSpan / 2 / std::min(from_hz_, to_hz_);
}

}  // namespace offhook::ai
