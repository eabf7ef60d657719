#include "caller/spread_histogram.h"

#include <cmath>

#include <gtest/gtest.h>

namespace offhook::caller {
namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(SpreadHistogramTest, AnEmptyOneSaysZero) {
    const SpreadHistogram empty(20 * kMs);
    EXPECT_EQ(empty.count(), 0U);
    EXPECT_EQ(empty.quantile_ns(0.99), 0);
    EXPECT_EQ(empty.deviation_quantile_ns(0.5), 0);
    EXPECT_EQ(empty.max_deviation_ns(), 0);
}

TEST(SpreadHistogramTest, KeepsExtremesExactly) {
    SpreadHistogram h(20 * kMs);
    h.record(20 * kMs);
    h.record(104'567'891);
    h.record(3'000'001);
    EXPECT_EQ(h.max_ns(), 104'567'891);
    EXPECT_EQ(h.min_ns(), 3'000'001);
    EXPECT_EQ(h.max_deviation_ns(), 84'567'891);
    EXPECT_EQ(h.quantile_ns(1), 104'567'891);
}

TEST(SpreadHistogramTest, QuantilesOfBothSides) {
    SpreadHistogram h(20 * kMs);
    for (int i = 0; i < 90; ++i) h.record(20 * kMs + 10'000);
    for (int i = 0; i < 5; ++i) h.record(15 * kMs);
    for (int i = 0; i < 5; ++i) h.record(25 * kMs);
    EXPECT_NEAR(static_cast<double>(h.quantile_ns(0.5)), 20.01e6, 2e3);
    EXPECT_NEAR(static_cast<double>(h.quantile_ns(0.05)), 15e6, 0.1e6);
    EXPECT_NEAR(static_cast<double>(h.quantile_ns(0.99)), 25e6, 0.1e6);
    EXPECT_NEAR(static_cast<double>(h.deviation_quantile_ns(0.5)), 10e3, 2e3);
    EXPECT_NEAR(static_cast<double>(h.deviation_quantile_ns(0.95)), 5e6, 0.1e6);
}

TEST(SpreadHistogramTest, EveryBucketIsWithinTwoPercent) {
    for (std::int64_t us = 1; us < 130'000'000; us = us * 5 / 4 + 1) {
        SpreadHistogram h;
        h.record(us * 1000);
        h.record(us * 1000);
        h.record(200'000'000'000);  // so that the quantile is not cut at the maximum
        const double error =
            static_cast<double>(h.quantile_ns(0.5)) / (static_cast<double>(us) * 1000) - 1;
        EXPECT_LT(std::abs(error), us < 64 ? 0.51 : 0.02) << us;
    }
}

TEST(SpreadHistogramTest, BeyondTheRangeTheMaximumStays) {
    SpreadHistogram h(20 * kMs);
    h.record(3'600'000 * kMs);
    h.record(-5);
    EXPECT_EQ(h.max_ns(), 3'600'000 * kMs);
    EXPECT_EQ(h.min_ns(), 0);
}

TEST(SpreadHistogramTest, MergingEqualsRecordingTogether) {
    SpreadHistogram a(20 * kMs);
    SpreadHistogram b(20 * kMs);
    SpreadHistogram both(20 * kMs);
    for (std::int64_t i = 0; i < 1000; ++i) {
        const std::int64_t value = (i * 7919) % 60 * kMs;
        (i % 3 == 0 ? a : b).record(value);
        both.record(value);
    }
    a.merge(b);
    a.merge(SpreadHistogram(20 * kMs));
    EXPECT_EQ(a.count(), 1000U);
    for (const double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
        EXPECT_EQ(a.quantile_ns(q), both.quantile_ns(q));
        EXPECT_EQ(a.deviation_quantile_ns(q), both.deviation_quantile_ns(q));
    }
}

}  // namespace
}  // namespace offhook::caller
