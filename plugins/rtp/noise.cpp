#include "rtp/noise.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace offhook::rtp {
namespace {

constexpr double kTableRms = 2048;
constexpr double kFullScale = 32768;
constexpr std::size_t kTableSamples = 4096;

std::uint32_t step(std::uint32_t state) noexcept {
    return state * 1664525U + 1013904223U;
}

std::array<std::int16_t, kTableSamples> make_table() {
    std::array<double, kTableSamples> shaped{};
    std::uint32_t random = 0x0FF400C5;
    const auto uniform = [&random] {
        random = step(random);
        return static_cast<double>(random >> 8) / double{1U << 24} - 0.5;
    };
    double previous = 0;
    double power = 0;
    for (double& sample : shaped) {
        // Three uniform values are near enough to a bell; one zero takes the hiss off the top.
        const double white = uniform() + uniform() + uniform();
        sample = white + 0.5 * previous;
        previous = white;
        power += sample * sample;
    }
    const double gain = kTableRms / std::sqrt(power / double{kTableSamples});
    std::array<std::int16_t, kTableSamples> table{};
    std::transform(shaped.begin(), shaped.end(), table.begin(), [gain](double sample) {
        return static_cast<std::int16_t>(std::lround(sample * gain));
    });
    return table;
}

const std::array<std::int16_t, kTableSamples>& noise_table() {
    static const std::array<std::int16_t, kTableSamples> table = make_table();
    return table;
}

}  // namespace

// The table is made here, on whoever sets the call up, not on the first frame.
ComfortNoise::ComfortNoise(std::uint32_t seed) noexcept
    : state_(step(seed ^ static_cast<std::uint32_t>(noise_table().size()))) {
    set_level(kQuietOfficeDbov);
}

void ComfortNoise::set_level(int dbov) noexcept {
    const double rms = kFullScale * std::pow(10, std::clamp(dbov, -127, kLoudestDbov) / 20.0);
    gain_ = static_cast<std::int32_t>(std::lround(rms / kTableRms * 65536));
}

void ComfortNoise::fill(std::span<std::int16_t> pcm) noexcept {
    const auto& table = noise_table();
    // A new start for every frame: no period for the ear to find. A splice of noise with noise is
    // noise.
    while (!pcm.empty()) {
        state_ = step(state_);
        const std::size_t start = (state_ >> 16) % (kTableSamples / 2);
        const std::size_t n = std::min(pcm.size(), kTableSamples / 2);
        for (std::size_t i = 0; i < n; ++i) {
            // The table's peak is 8242 and the gain below 105,000: no overflow, no clipping.
            pcm[i] = static_cast<std::int16_t>((table[start + i] * gain_ + 32768) >> 16);
        }
        pcm = pcm.subspan(n);
    }
}

}  // namespace offhook::rtp
