#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace offhook::worker {

/// Tick lateness over the last three seconds, as a histogram of four buckets per octave of
/// microseconds (at most 19 % off). One writer (the worker), any reader; nothing but relaxed
/// atomics.
class LatenessMeter {
public:
    /// @thread the worker
    void record(std::int64_t lateness_ns, std::int64_t now_ns) noexcept;

    struct Figures {
        double p50_ms = 0;
        double p99_ms = 0;
        double max_ms = 0;
    };
    /// @thread any
    [[nodiscard]] Figures figures(std::int64_t now_ns) const noexcept;

private:
    static constexpr std::size_t kBuckets = 96;
    static constexpr std::size_t kSeconds = 4;  ///< three complete ones and the current
    struct Second {
        std::atomic<std::int64_t> number{-1};
        std::array<std::atomic<std::uint32_t>, kBuckets> counts{};
        std::atomic<std::int64_t> max_ns{0};
    };
    static std::size_t bucket_of(std::int64_t lateness_ns) noexcept;
    static double upper_edge_ms(std::size_t bucket) noexcept;

    std::array<Second, kSeconds> seconds_;
};

}  // namespace offhook::worker
