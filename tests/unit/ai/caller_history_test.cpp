#include "ai/caller_history.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace offhook::ai {
namespace {

std::vector<std::int16_t> count_from(std::uint64_t first, std::size_t n) {
    std::vector<std::int16_t> pcm(n);
    for (std::size_t i = 0; i < n; ++i) pcm[i] = static_cast<std::int16_t>((first + i) % 30'011);
    return pcm;
}

class HistoryAt : public testing::TestWithParam<std::pair<std::uint32_t, int>> {};

TEST_P(HistoryAt, KeepsThreeSecondsInWholeFramesWhateverTheChunks) {
    const auto [rate_hz, frame_ms] = GetParam();
    CallerHistory history(rate_hz, frame_ms);
    const std::size_t frame = rate_hz * static_cast<std::uint32_t>(frame_ms) / 1000;
    ASSERT_EQ(history.frame_samples(), frame);
    std::mt19937 random(1);
    while (history.written() < std::uint64_t{rate_hz} * 20) {
        history.append(count_from(history.written(), random() % 1000));
        const std::uint64_t from = history.kept_from();
        ASSERT_EQ(from % frame, 0U);
        ASSERT_LE(history.written() - from, std::uint64_t{rate_hz} * 3);
        ASSERT_GT(history.written() - from + frame,
                  std::min<std::uint64_t>(history.written(), rate_hz * 3));
    }
    std::uint64_t at = history.kept_from();
    for (; history.has(at); at += frame) {
        const auto expected = count_from(at, frame);
        const auto found = history.frame(at);
        ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found.begin(), found.end())) << at;
    }
    EXPECT_LT(history.written() - at, frame);
    EXPECT_FALSE(history.has(0));
}

INSTANTIATE_TEST_SUITE_P(Rates,
                         HistoryAt,
                         testing::Values(std::pair{8000U, 20},
                                         std::pair{16000U, 40},
                                         std::pair{24000U, 20},
                                         std::pair{24000U, 40}));

}  // namespace
}  // namespace offhook::ai
