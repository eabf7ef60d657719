#include "mixer/limiter.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace offhook::mixer {
namespace {

constexpr float kLimit = 30'000;  // -0.8 dBov
constexpr float kTop = 32'767;
constexpr std::size_t kBlock = 80;  // 5 ms
constexpr std::size_t kBlocks = Limiter::kFrameSamples / kBlock;
constexpr float kRise = 0.1F;

// Straight up to the limit, then towards full scale and never there.
float bend(float value) noexcept {
    const float size = std::abs(value);
    if (size <= kLimit) return value;
    const float over = size - kLimit;
    const float room = kTop - kLimit;
    return std::copysign(kLimit + room * over / (over + room), value);
}

// std::lround is a call.
std::int16_t rounded(float value) noexcept {
    return static_cast<std::int16_t>(static_cast<std::int32_t>(value + std::copysign(0.5F, value)));
}

}  // namespace

void Limiter::limit(std::span<const float, kFrameSamples> sum,
                    std::span<std::int16_t, kFrameSamples> out) noexcept {
    std::array<float, kBlocks> peaks{};
    for (std::size_t block = 0; block < kBlocks; ++block) {
        float peak = 0;
        for (std::size_t i = 0; i < kBlock; ++i)
            peak = std::max(peak, std::abs(sum[block * kBlock + i]));
        peaks[block] = peak;
    }
    const bool is_loud = *std::max_element(peaks.begin(), peaks.end()) > kLimit;
    if (!is_loud && gain_ == 1.0F) {
        for (std::size_t i = 0; i < kFrameSamples; ++i) {
            out[i] = rounded(sum[i]);
        }
        return;
    }
    const auto wanted = [&](std::size_t block) {
        return peaks[block] > kLimit ? kLimit / peaks[block] : 1.0F;
    };
    for (std::size_t block = 0; block < kBlocks; ++block) {
        float to = std::min(wanted(block), gain_ + (1 - gain_) * kRise);
        if (block + 1 < kBlocks) to = std::min(to, wanted(block + 1));
        if (to > 0.999F) to = 1;
        for (std::size_t i = 0; i < kBlock; ++i) {
            const float gain =
                gain_ + (to - gain_) * static_cast<float>(i + 1) / static_cast<float>(kBlock);
            out[block * kBlock + i] = rounded(bend(sum[block * kBlock + i] * gain));
        }
        gain_ = to;
    }
}

}  // namespace offhook::mixer
