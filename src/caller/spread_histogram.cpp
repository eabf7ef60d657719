#include "caller/spread_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/monotonic.h"

namespace offhook::caller {
namespace {

std::uint64_t rank_of(double q, std::uint64_t count) noexcept {
    const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count);
}

}  // namespace

SpreadHistogram::SpreadHistogram(std::int64_t nominal_ns) noexcept : nominal_ns_(nominal_ns) {}

void SpreadHistogram::make_buckets() {
    if (!late_.empty()) return;
    late_.resize(kBuckets);
    // Nothing is shorter than no time at all, so the early side ends at the nominal itself.
    if (nominal_ns_ > 0) early_.resize(bucket_of(nominal_ns_) + 1);
}

std::size_t SpreadHistogram::bucket_of(std::int64_t deviation_ns) noexcept {
    const auto us = static_cast<std::uint64_t>(deviation_ns / base::kNsPerUs);
    if (us < (1U << kSubBits)) return static_cast<std::size_t>(us);
    const int exponent = static_cast<int>(std::bit_width(us)) - 1 - kSubBits;
    if (exponent > kMaxExponent - kSubBits - 1) return kBuckets - 1;
    return (static_cast<std::size_t>(exponent) << kSubBits) +
           static_cast<std::size_t>(us >> exponent);
}

std::int64_t SpreadHistogram::middle_ns(std::size_t bucket) noexcept {
    const std::size_t group = bucket >> kSubBits;
    const int exponent = group == 0 ? 0 : static_cast<int>(group) - 1;
    const std::size_t mantissa = bucket - (static_cast<std::size_t>(exponent) << kSubBits);
    const auto low_us = static_cast<std::int64_t>(mantissa << exponent);
    return low_us * base::kNsPerUs + ((std::int64_t{1} << exponent) * base::kNsPerUs) / 2;
}

void SpreadHistogram::record(std::int64_t value_ns) {
    make_buckets();
    value_ns = std::max<std::int64_t>(value_ns, 0);
    max_ns_ = count_ == 0 ? value_ns : std::max(max_ns_, value_ns);
    min_ns_ = count_ == 0 ? value_ns : std::min(min_ns_, value_ns);
    ++count_;
    const std::int64_t deviation = value_ns - nominal_ns_;
    if (deviation < 0) {
        ++early_[bucket_of(-deviation)];
    } else {
        ++late_[bucket_of(deviation)];
    }
}

void SpreadHistogram::merge(const SpreadHistogram& other) {
    if (other.count_ == 0) return;
    make_buckets();
    max_ns_ = count_ == 0 ? other.max_ns_ : std::max(max_ns_, other.max_ns_);
    min_ns_ = count_ == 0 ? other.min_ns_ : std::min(min_ns_, other.min_ns_);
    count_ += other.count_;
    for (std::size_t i = 0; i < early_.size() && i < other.early_.size(); ++i)
        early_[i] += other.early_[i];
    for (std::size_t i = 0; i < late_.size(); ++i) late_[i] += other.late_[i];
}

std::int64_t SpreadHistogram::max_deviation_ns() const noexcept {
    if (count_ == 0) return 0;
    return std::max(std::abs(max_ns_ - nominal_ns_), std::abs(min_ns_ - nominal_ns_));
}

std::int64_t SpreadHistogram::quantile_ns(double q) const noexcept {
    if (count_ == 0) return 0;
    const std::uint64_t rank = rank_of(q, count_);
    if (rank == count_) return max_ns_;
    std::uint64_t seen = 0;
    for (std::size_t i = early_.size(); i-- > 0;) {
        seen += early_[i];
        if (seen >= rank) return std::clamp(nominal_ns_ - middle_ns(i), min_ns_, max_ns_);
    }
    for (std::size_t i = 0; i < late_.size(); ++i) {
        seen += late_[i];
        if (seen >= rank) return std::clamp(nominal_ns_ + middle_ns(i), min_ns_, max_ns_);
    }
    return max_ns_;
}

std::int64_t SpreadHistogram::deviation_quantile_ns(double q) const noexcept {
    if (count_ == 0) return 0;
    const std::uint64_t rank = rank_of(q, count_);
    if (rank == count_) return max_deviation_ns();
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < late_.size(); ++i) {
        seen += late_[i] + (i < early_.size() ? early_[i] : 0);
        if (seen >= rank) return std::min(middle_ns(i), max_deviation_ns());
    }
    return max_deviation_ns();
}

}  // namespace offhook::caller
