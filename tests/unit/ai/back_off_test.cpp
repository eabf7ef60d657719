#include "ai/back_off.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr std::int64_t kMs = base::kNsPerMs;
constexpr std::int64_t kS = base::kNsPerS;

/// Delays until it gives up, each attempt failing at once.
std::vector<std::int64_t> delays(BackOff& back_off, std::int64_t now_ns) {
    std::vector<std::int64_t> found;
    while (const auto due_ns = back_off.next(now_ns)) {
        found.push_back(*due_ns - now_ns);
        now_ns = *due_ns;
    }
    return found;
}

TEST(BackOff, DoublesUpToTenSecondsWithFullJitter) {
    std::vector<double> sums(8);
    for (unsigned seed = 0; seed < 400; ++seed) {
        BackOff back_off(3600 * kS, seed);
        back_off.lost(0, 0);
        std::int64_t now_ns = 0;
        std::int64_t ceiling_ns = 250 * kMs;
        for (double& sum : sums) {
            const auto due_ns = back_off.next(now_ns);
            ASSERT_TRUE(due_ns);
            ASSERT_GE(*due_ns - now_ns, 100 * kMs);
            ASSERT_LE(*due_ns - now_ns, ceiling_ns);
            sum += static_cast<double>(*due_ns - now_ns) / 400 / kMs;
            ceiling_ns = std::min(2 * ceiling_ns, 10 * kS);
            now_ns = *due_ns;
        }
    }
    // The means of a full jitter: (0.1 s + ceiling) / 2.
    EXPECT_NEAR(sums[0], 175, 10);
    EXPECT_NEAR(sums[1], 300, 25);
    EXPECT_NEAR(sums[3], 1050, 100);
    EXPECT_NEAR(sums[7], 5050, 500);
}

TEST(BackOff, EndsAtTheLimitWithALastAttempt) {
    BackOff back_off(5 * kS, 1);
    back_off.lost(100 * kS, 0);
    const auto found = delays(back_off, 100 * kS);
    std::int64_t all_ns = 0;
    for (const std::int64_t delay_ns : found) all_ns += delay_ns;
    EXPECT_EQ(all_ns, 5 * kS);
    EXPECT_GE(found.size(), 4U);
}

TEST(BackOff, NoLimitMeansNoAttempt) {
    BackOff back_off(0, 1);
    back_off.lost(kS, 0);
    EXPECT_FALSE(back_off.next(kS));
}

TEST(BackOff, OnlyAConnectionThatStoodBeginsAnew) {
    BackOff back_off(60 * kS, 1);
    back_off.lost(0, 0);
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(back_off.next(i * kS));
    back_off.lost(55 * kS, 9'999 * kMs);  // it came up and went: the same misery
    ASSERT_TRUE(back_off.next(59 * kS));
    EXPECT_FALSE(back_off.next(60 * kS));
    back_off.lost(80 * kS, 10 * kS);
    const auto due_ns = back_off.next(80 * kS);
    ASSERT_TRUE(due_ns);
    EXPECT_LE(*due_ns, 80 * kS + 250 * kMs);
    EXPECT_TRUE(back_off.next(139 * kS));
    EXPECT_FALSE(back_off.next(140 * kS));
}

}  // namespace
}  // namespace offhook::ai
