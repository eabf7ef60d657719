#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "callstats/level_meter.h"

namespace offhook::callstats {

/// What passes one point of a chain: how much, how loud, how evenly. One writer, any reader,
/// relaxed atomics.
class FlowMeter {
public:
    explicit FlowMeter(std::uint32_t sample_rate_hz) noexcept : level_(sample_rate_hz) {}

    /// @return true when the time since the last buffer was longer than `alarm_gap_ns` (0: never)
    bool feed(std::span<const std::int16_t> pcm,
              std::int64_t now_ns,
              std::int64_t alarm_gap_ns) noexcept;

    struct Figures {
        std::uint64_t buffers = 0;
        std::uint64_t samples = 0;
        double max_gap_ms = 0;
        double level_dbov = -127;  ///< of the last full second
        std::int32_t peak = 0;     ///< largest absolute sample of that second
    };
    [[nodiscard]] Figures figures() const noexcept;

private:
    LevelMeter level_;
    std::int64_t last_ns_ = 0;
    std::atomic<std::uint64_t> buffers_{0};
    std::atomic<std::uint64_t> samples_{0};
    std::atomic<std::int64_t> max_gap_ns_{0};
    std::atomic<std::int32_t> level_cdb_{-12700};
    std::atomic<std::int32_t> peak_{0};
};

}  // namespace offhook::callstats
