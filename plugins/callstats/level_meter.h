#pragma once

#include <cstdint>
#include <span>

namespace offhook::callstats {

/// RMS of these samples, in 1/100 dBov; -12700 = silence. @param pcm at least one
[[nodiscard]] std::int32_t level_of(std::span<const std::int16_t> pcm) noexcept;

/// RMS level over one second of sound, in 1/100 dBov (0 = a full-scale square wave, RFC 6464
/// manner), -12700 = silence.
/// @thread one
class LevelMeter {
public:
    explicit LevelMeter(std::uint32_t sample_rate_hz) noexcept : window_samples_(sample_rate_hz) {}
    /// @return true when a second is complete and `level_cdb` has a new value
    bool feed(std::span<const std::int16_t> pcm) noexcept;
    [[nodiscard]] std::int32_t level_cdb() const noexcept { return level_cdb_; }
    [[nodiscard]] std::int32_t peak() const noexcept { return peak_; }

private:
    std::uint32_t window_samples_;
    std::uint32_t seen_samples_ = 0;
    std::uint64_t sum_squares_ = 0;
    std::int32_t running_peak_ = 0;
    std::int32_t peak_ = 0;
    std::int32_t level_cdb_ = -12700;
};

}  // namespace offhook::callstats
