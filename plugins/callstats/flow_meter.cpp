#include "callstats/flow_meter.h"

namespace offhook::callstats {

bool FlowMeter::feed(std::span<const std::int16_t> pcm,
                     std::int64_t now_ns,
                     std::int64_t alarm_gap_ns) noexcept {
    buffers_.store(buffers_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    samples_.store(samples_.load(std::memory_order_relaxed) + pcm.size(),
                   std::memory_order_relaxed);
    if (level_.feed(pcm)) {
        level_cdb_.store(level_.level_cdb(), std::memory_order_relaxed);
        peak_.store(level_.peak(), std::memory_order_relaxed);
    }
    const std::int64_t gap_ns = last_ns_ == 0 ? 0 : now_ns - last_ns_;
    last_ns_ = now_ns;
    if (gap_ns > max_gap_ns_.load(std::memory_order_relaxed))
        max_gap_ns_.store(gap_ns, std::memory_order_relaxed);
    return alarm_gap_ns > 0 && gap_ns > alarm_gap_ns;
}

FlowMeter::Figures FlowMeter::figures() const noexcept {
    return {buffers_.load(std::memory_order_relaxed),
            samples_.load(std::memory_order_relaxed),
            static_cast<double>(max_gap_ns_.load(std::memory_order_relaxed)) / 1e6,
            level_cdb_.load(std::memory_order_relaxed) / 100.0,
            peak_.load(std::memory_order_relaxed)};
}

}  // namespace offhook::callstats
