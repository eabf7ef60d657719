#include "ai/turn_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;

TEST(LatencyHistogram, CountsUpToAndWithTheBound) {
    LatencyHistogram histogram(kPathBoundsS);
    for (const double bound : kPathBoundsS)
        histogram.add_ns(static_cast<std::int64_t>(bound * 1e9));
    histogram.add_ns(-5);  // a clock read twice: nothing is quicker than nothing
    histogram.add_ns(1);
    histogram.add_ns(500'000'001);
    histogram.add_ns(3'600 * base::kNsPerS);
    const auto now = histogram.snapshot();
    EXPECT_EQ(now.buckets[0], 3U);
    for (std::size_t i = 1; i < LatencyHistogram::kBounds; ++i) EXPECT_EQ(now.buckets[i], 1U) << i;
    EXPECT_EQ(now.buckets[LatencyHistogram::kBounds], 2U);
    EXPECT_EQ(now.count, 16U);
    double sum_s = 3600.5;
    for (const double bound : kPathBoundsS) sum_s += bound;
    EXPECT_NEAR(now.sum_s, sum_s, 1e-6);
    EXPECT_EQ(histogram.bounds_s().data(), kPathBoundsS.data());
}

TEST(LatencyHistogram, IsReadWhileItIsWritten) {
    LatencyHistogram histogram(kTurnBoundsS);
    std::atomic<bool> is_done{false};
    std::thread reader([&] {
        std::uint64_t last = 0;
        while (!is_done.load()) {
            const auto now = histogram.snapshot();
            EXPECT_GE(now.count, last);
            last = now.count;
        }
    });
    for (int i = 0; i < 200'000; ++i) histogram.add_ns(i * std::int64_t{50'000});
    is_done = true;
    reader.join();
    EXPECT_EQ(histogram.snapshot().count, 200'000U);
}

class Turns : public ::testing::Test {
protected:
    model::AiStats stats_;
    Latencies latencies_;
    TurnClock clock_{stats_, latencies_};

    static std::int64_t at(double ms) {
        return base::kNsPerS + static_cast<std::int64_t>(ms * static_cast<double>(kNsPerMs));
    }
    /// The caller's frames of these ms are sent, each `later_ms` after its last sample was tapped.
    void send(int from_ms, int to_ms, double later_ms) {
        for (int ms = from_ms + 20; ms <= to_ms; ms += 20)
            clock_.frame_sent(at(ms), at(ms + later_ms));
    }
    [[nodiscard]] std::uint64_t turns() const { return stats_.turns.load(); }
    [[nodiscard]] double bot_and_all() const {
        return stats_.turn_network_ms + stats_.turn_bot_ms + stats_.turn_playout_ms;
    }
};

TEST_F(Turns, AreSplitAndAddUp) {
    send(0, 2000, 0.6);
    clock_.set_round_trip(at(8) - at(0));
    clock_.on_speech(true, at(100));
    clock_.on_speech(false, at(1490));  // in the frame that ends at 1500
    clock_.sound_received(true, at(2300));
    clock_.sound_received(false, at(2301));
    clock_.sound_left(at(2313));
    ASSERT_EQ(turns(), 1U);
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 823);
    EXPECT_NEAR(stats_.turn_network_ms, 10.6 + 8, 1e-6);
    EXPECT_DOUBLE_EQ(stats_.turn_playout_ms, 13);
    EXPECT_NEAR(stats_.turn_bot_ms, 823 - 13 - 18.6, 1e-6);
    EXPECT_NEAR(bot_and_all(), stats_.turn_ms, 1e-6);
    EXPECT_DOUBLE_EQ(stats_.round_trip_ms, 8);
    EXPECT_DOUBLE_EQ(stats_.socket_to_wire_ms, 13);
    EXPECT_NEAR(stats_.caller_to_socket_ms, 0.6, 1e-6);

    EXPECT_EQ(latencies_.turn.snapshot().count, 1U);
    EXPECT_NEAR(latencies_.turn.snapshot().sum_s, 0.823, 1e-9);
    EXPECT_EQ(latencies_.turn.snapshot().buckets[7], 1U);  // up to 1 s
    EXPECT_NEAR(latencies_.turn_network.snapshot().sum_s + latencies_.turn_bot.snapshot().sum_s +
                    latencies_.turn_playout.snapshot().sum_s,
                0.823,
                1e-9);
    EXPECT_EQ(latencies_.caller_to_socket.snapshot().count, 100U);
    EXPECT_EQ(latencies_.caller_to_socket.snapshot().buckets[2], 100U);  // up to 1 ms
    EXPECT_EQ(latencies_.socket_to_wire.snapshot().count, 1U);
}

TEST_F(Turns, AGreetingIsNone) {
    clock_.sound_received(true, at(10));
    clock_.sound_left(at(25));
    EXPECT_EQ(turns(), 0U);
    EXPECT_EQ(stats_.turn_ms, -1);
    EXPECT_DOUBLE_EQ(stats_.socket_to_wire_ms, 15);
}

TEST_F(Turns, ASecondUtteranceIsNoSecondAnswer) {
    clock_.on_speech(true, at(0));
    clock_.on_speech(false, at(500));
    for (const double ms : {1000.0, 3000.0}) {
        clock_.sound_received(true, at(ms));
        clock_.sound_left(at(ms + 20));
    }
    EXPECT_EQ(turns(), 1U);
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 520);
}

TEST_F(Turns, TheLastWordCounts) {
    clock_.on_speech(true, at(0));
    clock_.on_speech(false, at(500));
    clock_.on_speech(true, at(900));
    clock_.on_speech(false, at(1500));
    clock_.sound_received(true, at(2000));
    clock_.sound_left(at(2010));
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 510);
}

TEST_F(Turns, AQuickBotAnswersBeforeTheEndIsKnown) {
    send(0, 1000, 1);
    clock_.on_speech(true, at(0));
    clock_.sound_received(true, at(620));
    clock_.sound_left(at(640));
    EXPECT_EQ(turns(), 0U);
    clock_.on_speech(false, at(500));  // told at 800
    EXPECT_EQ(turns(), 1U);
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 140);
    EXPECT_NEAR(bot_and_all(), 140, 1e-6);
}

TEST_F(Turns, WhoSpeaksIntoTheCallersWordsDoesNotAnswerThem) {
    clock_.on_speech(true, at(0));
    clock_.sound_received(true, at(200));
    clock_.sound_left(at(220));
    clock_.on_speech(false, at(900));
    EXPECT_EQ(turns(), 0U);
    // What it says later does.
    clock_.sound_received(true, at(1400));
    clock_.sound_left(at(1420));
    EXPECT_EQ(turns(), 1U);
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 520);
}

TEST_F(Turns, WhatWasTakenBackIsNotAnswered) {
    clock_.on_speech(true, at(0));
    clock_.on_speech(false, at(200));
    clock_.forget();
    clock_.sound_left(at(1200));  // it goes on where it stopped
    clock_.sound_received(true, at(1500));
    clock_.sound_left(at(1520));
    EXPECT_EQ(turns(), 0U);
}

TEST_F(Turns, ALongPingOrAnUnsentFrameLeaveNoPartBelowZero) {
    clock_.set_round_trip(at(5000) - at(0));
    clock_.on_speech(true, at(0));
    clock_.on_speech(false, at(500));
    clock_.sound_received(true, at(600));
    clock_.sound_left(at(610));
    EXPECT_DOUBLE_EQ(stats_.turn_ms, 110);
    EXPECT_DOUBLE_EQ(stats_.turn_bot_ms, 0);
    EXPECT_DOUBLE_EQ(stats_.turn_network_ms, 100);
    clock_.set_round_trip(-1);
    EXPECT_EQ(stats_.round_trip_ms, -1);
    clock_.on_speech(true, at(700));
    clock_.on_speech(false, at(800));
    clock_.sound_received(true, at(1000));
    clock_.sound_left(at(1010));
    EXPECT_DOUBLE_EQ(stats_.turn_network_ms, 0);
    EXPECT_DOUBLE_EQ(stats_.turn_bot_ms, 200);
}

}  // namespace
}  // namespace offhook::ai
