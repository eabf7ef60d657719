#include "callstats/level_meter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace offhook::callstats {
namespace {

constexpr double kFullScale = 32767.0;
constexpr std::int32_t kSilenceCdb = -12700;

std::int32_t level_cdb_of(std::uint64_t sum_squares, std::size_t samples) noexcept {
    const double rms = std::sqrt(static_cast<double>(sum_squares) / static_cast<double>(samples));
    if (rms < 0.5) return kSilenceCdb;
    return std::max(kSilenceCdb,
                    static_cast<std::int32_t>(std::lround(2000.0 * std::log10(rms / kFullScale))));
}

}  // namespace

std::int32_t level_of(std::span<const std::int16_t> pcm) noexcept {
    std::uint64_t sum = 0;
    for (const std::int32_t value : pcm) sum += static_cast<std::uint32_t>(value * value);
    return level_cdb_of(sum, pcm.size());
}

bool LevelMeter::feed(std::span<const std::int16_t> pcm) noexcept {
    std::uint64_t sum = 0;
    std::int32_t peak = running_peak_;
    for (const std::int16_t sample : pcm) {
        const std::int32_t value = sample;
        sum += static_cast<std::uint32_t>(value * value);
        peak = std::max(peak, std::abs(value));
    }
    sum_squares_ += sum;
    running_peak_ = peak;
    seen_samples_ += static_cast<std::uint32_t>(pcm.size());
    if (seen_samples_ < window_samples_) return false;
    level_cdb_ = level_cdb_of(sum_squares_, seen_samples_);
    peak_ = running_peak_;
    sum_squares_ = 0;
    seen_samples_ = 0;
    running_peak_ = 0;
    return true;
}

}  // namespace offhook::callstats
