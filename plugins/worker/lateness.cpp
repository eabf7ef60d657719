#include "worker/lateness.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/monotonic.h"

namespace offhook::worker {

std::size_t LatenessMeter::bucket_of(std::int64_t lateness_ns) noexcept {
    const auto us =
        static_cast<std::uint64_t>(std::max<std::int64_t>(lateness_ns, 0) / base::kNsPerUs);
    if (us < 4) return static_cast<std::size_t>(us);
    const int octave = static_cast<int>(std::bit_width(us)) - 1;  // >= 2
    const std::uint64_t quarter = (us >> (octave - 2)) & 3;
    return std::min(static_cast<std::size_t>(octave - 1) * 4 + static_cast<std::size_t>(quarter),
                    kBuckets - 1);
}

double LatenessMeter::upper_edge_ms(std::size_t bucket) noexcept {
    if (bucket < 4) return static_cast<double>(bucket + 1) / 1000.0;
    const int octave = static_cast<int>(bucket / 4) + 1;
    const double quarter = static_cast<double>(bucket % 4 + 1);
    return std::ldexp(1.0 + quarter / 4.0, octave) / 1000.0;
}

void LatenessMeter::record(std::int64_t lateness_ns, std::int64_t now_ns) noexcept {
    const std::int64_t number = now_ns / base::kNsPerS;
    Second& second = seconds_[static_cast<std::size_t>(number) % kSeconds];
    if (second.number.load(std::memory_order_relaxed) != number) {
        for (auto& count : second.counts) count.store(0, std::memory_order_relaxed);
        second.max_ns.store(0, std::memory_order_relaxed);
        second.number.store(number, std::memory_order_relaxed);
    }
    auto& count = second.counts[bucket_of(lateness_ns)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (lateness_ns > second.max_ns.load(std::memory_order_relaxed)) {
        second.max_ns.store(lateness_ns, std::memory_order_relaxed);
    }
}

LatenessMeter::Figures LatenessMeter::figures(std::int64_t now_ns) const noexcept {
    const std::int64_t newest = now_ns / base::kNsPerS;
    std::array<std::uint64_t, kBuckets> sum{};
    std::uint64_t total = 0;
    std::int64_t max_ns = 0;
    for (const Second& second : seconds_) {
        const std::int64_t number = second.number.load(std::memory_order_relaxed);
        if (number < 0 || number < newest - 2 || number > newest) continue;
        for (std::size_t i = 0; i < kBuckets; ++i) {
            const std::uint32_t n = second.counts[i].load(std::memory_order_relaxed);
            sum[i] += n;
            total += n;
        }
        max_ns = std::max(max_ns, second.max_ns.load(std::memory_order_relaxed));
    }
    Figures figures;
    figures.max_ms = static_cast<double>(max_ns) / 1e6;
    const auto quantile = [&](double q) {
        const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total)));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < kBuckets; ++i) {
            seen += sum[i];
            if (seen >= wanted) return std::min(upper_edge_ms(i), figures.max_ms);
        }
        return figures.max_ms;
    };
    if (total > 0) {
        figures.p50_ms = quantile(0.50);
        figures.p99_ms = quantile(0.99);
    }
    return figures;
}

}  // namespace offhook::worker
