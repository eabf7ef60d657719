#include "callstats/level_meter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace offhook::callstats {
namespace {

constexpr double kFullScale = 32767.0;
constexpr std::int32_t kSilenceCdb = -12700;
/// A second below it counts as silent: the noise of a quiet line is above -70, a whisper above -50.
constexpr std::int32_t kSilentSecondCdb = -6000;
/// The largest value of G.711's mu-law; that of its A-law is 32,256, linear codecs have more.
constexpr std::int32_t kClipped = 32'124;

using model::LegCounters;

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

bool LevelMeter::feed(std::span<const std::int16_t> pcm, model::SoundCounters* counters) noexcept {
    std::uint64_t sum = 0;
    std::int32_t peak = 0;
    for (const std::int16_t sample : pcm) {
        const std::int32_t value = sample;
        sum += static_cast<std::uint32_t>(value * value);
        peak = std::max(peak, std::abs(value));
    }
    sum_squares_ += sum;
    running_peak_ = std::max(running_peak_, peak);
    seen_samples_ += static_cast<std::uint32_t>(pcm.size());
    if (counters) {
        LegCounters::add<std::uint64_t>(counters->samples, pcm.size());
        if (peak >= kClipped) {
            const auto clipped = std::count_if(pcm.begin(), pcm.end(), [](std::int32_t value) {
                return std::abs(value) >= kClipped;
            });
            LegCounters::add(counters->clipped_samples, static_cast<std::uint64_t>(clipped));
        }
    }
    return seen_samples_ >= block_samples_ && end_block(counters);
}

bool LevelMeter::end_block(model::SoundCounters* counters) noexcept {
    const auto energy_s = [this](std::uint64_t squares) {
        return static_cast<double>(squares) / (kFullScale * kFullScale * sample_rate_hz_);
    };
    if (counters) {
        LegCounters::set(counters->level_now_cdb, level_cdb_of(sum_squares_, seen_samples_));
        LegCounters::add(counters->energy_s, energy_s(sum_squares_));
    }
    second_samples_ += seen_samples_;
    second_squares_ += sum_squares_;
    seen_samples_ = 0;
    sum_squares_ = 0;
    if (second_samples_ < sample_rate_hz_) return false;
    level_cdb_ = level_cdb_of(second_squares_, second_samples_);
    peak_ = running_peak_;
    if (counters) {
        LegCounters::add<std::uint64_t>(counters->seconds, 1);
        if (level_cdb_ < kSilentSecondCdb) {
            LegCounters::add<std::uint64_t>(counters->silent_seconds, 1);
        } else {
            LegCounters::add(counters->active_energy_s, energy_s(second_squares_));
        }
    }
    second_samples_ = 0;
    second_squares_ = 0;
    running_peak_ = 0;
    return true;
}

}  // namespace offhook::callstats
