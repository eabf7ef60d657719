#include "model/voice_ledger.h"

#include <gtest/gtest.h>

#include <vector>

namespace offhook::model {
namespace {

constexpr std::size_t kFrame = 160;

using Run = VoiceLedger::Run;

std::vector<Run> runs_of(const VoiceLedger& ledger) {
    std::vector<Run> runs;
    for (std::uint64_t i = 0; i < ledger.runs(); ++i) {
        VoiceLedger::Run run;
        if (ledger.run_at(i, run)) runs.push_back(run);
    }
    return runs;
}

/// Frame `number` with so many samples of the voice.
VoiceLedger::Frame frame(std::uint64_t number, std::uint64_t begin, std::uint16_t samples) {
    return {.offset = number * kFrame, .begin = begin, .next = begin + samples, .samples = samples};
}

TEST(VoiceLedger, FramesOneBehindTheOtherAreOneRun) {
    VoiceLedger ledger(kFrame);
    ledger.made(frame(0, 0, 0));
    ledger.made(frame(1, 0, 160));
    ledger.made(frame(2, 160, 100));
    ledger.made(frame(3, 260, 160));
    for (std::uint64_t i = 0; i < 4; ++i)
        ledger.settle(i * kFrame, kFrame, true, 100 + static_cast<std::int64_t>(i));
    const auto runs = runs_of(ledger);
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs[0].begin, 0U);
    EXPECT_EQ(runs[0].end, 420U);
    EXPECT_EQ(runs[0].started_ns, 101);
    EXPECT_EQ(ledger.left_samples(), 420U);
    EXPECT_EQ(ledger.left_ns(), 103);
    EXPECT_EQ(ledger.settled(), 420U);
}

TEST(VoiceLedger, AGapInPositionsAndASilenceBeginAnother) {
    VoiceLedger ledger(kFrame);
    ledger.made(frame(0, 0, 160));
    ledger.made(frame(1, 5000, 160));
    ledger.made(frame(2, 5160, 0));
    ledger.made(frame(3, 5160, 160));
    for (std::uint64_t i = 0; i < 4; ++i) ledger.settle(i * kFrame, kFrame, true, 7);
    const auto runs = runs_of(ledger);
    ASSERT_EQ(runs.size(), 3U);
    EXPECT_EQ(runs[1].begin, 5000U);
    EXPECT_EQ(runs[1].left_before, 160U);
    EXPECT_EQ(runs[1].started_ns, 0) << "a cut, no silence";
    EXPECT_EQ(runs[2].started_ns, 7);
}

TEST(VoiceLedger, AHeldFrameIsAGapAndSettledAllTheSame) {
    VoiceLedger ledger(kFrame);
    for (std::uint64_t i = 0; i < 3; ++i) ledger.made(frame(i, i * kFrame, 160));
    ledger.settle(0, kFrame, false, 1);
    EXPECT_EQ(ledger.settled(), 160U);
    EXPECT_EQ(ledger.left_samples(), 0U);
    EXPECT_EQ(ledger.runs(), 0U);
    ledger.settle(kFrame, 2 * kFrame, true, 2);
    ASSERT_EQ(ledger.runs(), 1U);
    EXPECT_EQ(runs_of(ledger)[0].begin, 160U);
    EXPECT_EQ(runs_of(ledger)[0].started_ns, 2);
}

// An element cut the frames anew: packets of other lengths, and not at frames' borders.
TEST(VoiceLedger, PacketsMayBeCutAnew) {
    VoiceLedger ledger(kFrame);
    for (std::uint64_t i = 0; i < 10; ++i) ledger.made(frame(i, i * kFrame, 160));
    ledger.settle(0, 100, true, 1);
    EXPECT_EQ(ledger.settled(), 100U);
    ledger.settle(100, 300, true, 1);
    EXPECT_EQ(ledger.settled(), 400U);
    ledger.settle(380, 1220, true, 1);
    EXPECT_EQ(ledger.left_samples(), 1600U) << "an overlap counts once";
    EXPECT_EQ(ledger.runs(), 1U);
}

TEST(VoiceLedger, AFrameOfLongAgoIsUnknownAndHarmless) {
    VoiceLedger ledger(kFrame);
    for (std::uint64_t i = 0; i < 200; ++i) ledger.made(frame(i, i * kFrame, 160));
    ledger.settle(0, kFrame, true, 1);
    EXPECT_EQ(ledger.settled(), 0U);
    EXPECT_EQ(ledger.level_at(0), VoiceLedger::kNoLevel);
    ledger.settle(199 * kFrame, kFrame, true, 1);
    EXPECT_EQ(ledger.settled(), 200U * kFrame);
    EXPECT_EQ(ledger.left_samples(), kFrame);
}

TEST(VoiceLedger, RunsThatWereOverwrittenAreSaidToBe) {
    VoiceLedger ledger(kFrame);
    for (std::uint64_t i = 0; i < 100; ++i) {
        ledger.made(frame(i, i * 1000, 160));
        ledger.settle(i * kFrame, kFrame, true, 1);
    }
    VoiceLedger::Run run;
    EXPECT_FALSE(ledger.run_at(0, run));
    EXPECT_FALSE(ledger.run_at(36, run));
    ASSERT_TRUE(ledger.run_at(37, run));
    EXPECT_EQ(run.begin, 37'000U);
    EXPECT_EQ(run.left_before, 37U * 160);
}

}  // namespace
}  // namespace offhook::model
