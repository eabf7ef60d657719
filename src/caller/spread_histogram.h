#pragma once

#include <cstdint>
#include <vector>

namespace offhook::caller {

/// Distribution of durations around a nominal one, in constant space: each side of the nominal has
/// log-linear buckets of 1 us at best and 1.6 % of the deviation at worst, so that "p99 gap 25 ms"
/// and "p99 deviation 0.1 ms" are both exact enough to judge a promise with. The extremes are kept
/// exactly. The buckets (10 KB) are allocated by the first record.
/// @thread one
class SpreadHistogram {
public:
    /// @param nominal_ns the value from which deviations are counted; 0 for plain latencies
    explicit SpreadHistogram(std::int64_t nominal_ns) noexcept;
    SpreadHistogram() noexcept : SpreadHistogram(0) {}

    /// Records one duration; a negative one counts as 0.
    void record(std::int64_t value_ns);
    /// Adds everything that `other` (same nominal) has seen.
    void merge(const SpreadHistogram& other);

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::int64_t max_ns() const noexcept { return count_ ? max_ns_ : 0; }
    [[nodiscard]] std::int64_t min_ns() const noexcept { return count_ ? min_ns_ : 0; }
    [[nodiscard]] std::int64_t max_deviation_ns() const noexcept;
    /// Value below or at which the share `q` (0-1) of the records lies; 0 when there is none.
    [[nodiscard]] std::int64_t quantile_ns(double q) const noexcept;
    /// The same for |value - nominal|.
    [[nodiscard]] std::int64_t deviation_quantile_ns(double q) const noexcept;

private:
    static constexpr int kSubBits = 6;
    static constexpr int kMaxExponent = 27;  ///< 2^27 us = 134 s; longer ones share the last bucket
    static constexpr std::size_t kBuckets = (kMaxExponent - kSubBits + 1) << kSubBits;

    void make_buckets();
    [[nodiscard]] static std::size_t bucket_of(std::int64_t deviation_ns) noexcept;
    [[nodiscard]] static std::int64_t middle_ns(std::size_t bucket) noexcept;

    std::int64_t nominal_ns_;
    std::uint64_t count_ = 0;
    std::int64_t max_ns_ = 0;
    std::int64_t min_ns_ = 0;
    std::vector<std::uint32_t> early_;  ///< below the nominal
    std::vector<std::uint32_t> late_;   ///< at or above it
};

}  // namespace offhook::caller
