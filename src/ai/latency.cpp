#include "ai/latency.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

void add(std::atomic<std::uint64_t>& cell, std::uint64_t value) noexcept {
    cell.store(cell.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

}  // namespace

void LatencyHistogram::add_ns(std::int64_t value_ns) noexcept {
    value_ns = std::max<std::int64_t>(value_ns, 0);
    const double value_s = static_cast<double>(value_ns) / static_cast<double>(base::kNsPerS);
    const auto bound = std::lower_bound(bounds_s_.begin(), bounds_s_.end(), value_s);
    add(buckets_[static_cast<std::size_t>(bound - bounds_s_.begin())], 1);
    add(sum_ns_, static_cast<std::uint64_t>(value_ns));
}

LatencyHistogram::Snapshot LatencyHistogram::snapshot() const noexcept {
    Snapshot now;
    for (std::size_t i = 0; i < now.buckets.size(); ++i) {
        now.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
        now.count += now.buckets[i];
    }
    now.sum_s = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) /
                static_cast<double>(base::kNsPerS);
    return now;
}

}  // namespace offhook::ai
