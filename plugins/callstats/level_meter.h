#pragma once

#include <cstdint>
#include <span>

#include "model/leg_counters.h"

namespace offhook::callstats {

/// RMS of these samples, in 1/100 dBov; -12700 = silence. @param pcm at least one
[[nodiscard]] std::int32_t level_of(std::span<const std::int16_t> pcm) noexcept;

/// What one direction sounds like: RMS levels over 200 ms and over one second, in 1/100 dBov (0 = a
/// full-scale square wave, RFC 6464 manner; -12700 = silence), energy, clipped samples, silent
/// seconds.
/// @thread one
class LevelMeter {
public:
    explicit LevelMeter(std::uint32_t sample_rate_hz) noexcept
        : sample_rate_hz_(sample_rate_hz), block_samples_(sample_rate_hz / 5) {}
    /// @param counters  also gets all that is measured, when given
    /// @return true when a second is complete and `level_cdb` has a new value
    bool feed(std::span<const std::int16_t> pcm, model::SoundCounters* counters = nullptr) noexcept;
    [[nodiscard]] std::int32_t level_cdb() const noexcept { return level_cdb_; }
    [[nodiscard]] std::int32_t peak() const noexcept { return peak_; }

private:
    bool end_block(model::SoundCounters* counters) noexcept;

    std::uint32_t sample_rate_hz_;
    std::uint32_t block_samples_;
    std::uint32_t seen_samples_ = 0;  ///< of this block
    std::uint64_t sum_squares_ = 0;
    std::uint32_t second_samples_ = 0;  ///< of the blocks before, in this second
    std::uint64_t second_squares_ = 0;
    std::int32_t running_peak_ = 0;
    std::int32_t peak_ = 0;
    std::int32_t level_cdb_ = -12700;
};

}  // namespace offhook::callstats
