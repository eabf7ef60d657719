// A lane between a leg and a mixer: start, drift, jitter, a late reader, and two threads.
#include "model/channel_seat.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <thread>
#include <vector>

namespace offhook::model {
namespace {

using Frame = std::array<std::int16_t, SoundLane::kFrameSamples>;
constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kFrameNs = 20 * kMs;

std::int64_t g_now_ns = 0;
std::int64_t fake_now() noexcept {
    return g_now_ns;
}

/// A tone that goes on from packet to packet.
class Tone {
public:
    explicit Tone(double hz, double amplitude = 8000) : hz_(hz), amplitude_(amplitude) {}
    std::vector<std::int16_t> next(std::size_t samples) {
        std::vector<std::int16_t> pcm(samples);
        for (auto& sample : pcm) {
            const double phase =
                2 * std::numbers::pi * hz_ * static_cast<double>(at_++) / SoundLane::kRateHz;
            sample = static_cast<std::int16_t>(std::lround(amplitude_ * std::sin(phase)));
        }
        return pcm;
    }
    /// What two samples beside each other may differ by.
    [[nodiscard]] int biggest_step() const {
        return static_cast<int>(2 * std::numbers::pi * hz_ / SoundLane::kRateHz * amplitude_) + 2;
    }
    /// The same where a fade of 5 ms goes from any sample to any other.
    [[nodiscard]] int biggest_faded_step() const {
        return biggest_step() + static_cast<int>(2 * amplitude_ / 80) + 2;
    }

private:
    double hz_, amplitude_;
    std::uint64_t at_ = 0;
};

/// Plays a writer and a reader against each other, each on its own clock.
struct Bench {
    SoundLane lane{fake_now};
    Tone tone{440};
    std::uint64_t frames = 0, missing = 0, idle = 0;
    int biggest_step = 0;
    std::int16_t last = 0;

    Bench() { g_now_ns = 1'000 * kMs; }

    SoundLane::Read read() {
        Frame frame;
        const SoundLane::Read read = lane.read(frame);
        frames += read == SoundLane::Read::Frame ? 1 : 0;
        missing += read == SoundLane::Read::Missing ? 1 : 0;
        idle += read == SoundLane::Read::Idle ? 1 : 0;
        for (const std::int16_t sample : frame) {
            biggest_step = std::max(biggest_step, std::abs(sample - last));
            last = sample;
        }
        return read;
    }

    /// @param write_every_ns  its 20 ms by our clock @param late_ns of the nth packet
    template <class Late>
    void run(std::int64_t seconds,
             std::int64_t write_every_ns,
             std::int64_t reader_phase_ns,
             const Late& late_ns) {
        const std::int64_t start = g_now_ns;
        std::int64_t sent = 0;
        for (std::int64_t tick = 0; tick < seconds * 50; ++tick) {
            const std::int64_t read_at = start + reader_phase_ns + tick * kFrameNs;
            while (start + sent * write_every_ns + late_ns(sent) <= read_at) {
                g_now_ns = start + sent * write_every_ns + late_ns(sent);
                lane.write(tone.next(SoundLane::kFrameSamples));
                ++sent;
            }
            g_now_ns = read_at;
            read();
        }
    }
};

TEST(SoundLaneTest, StartsWithTenMillisecondsInHandAndSoundsAsItWasSaid) {
    for (const std::int64_t phase_ms : {0, 3, 9, 11, 19}) {
        Bench bench;
        bench.run(10, kFrameNs, phase_ms * kMs, [](auto) { return 0; });
        EXPECT_EQ(bench.missing, 0u) << phase_ms;
        EXPECT_EQ(bench.idle, phase_ms < 10 ? 1u : 0u)
            << "the first packet is " << phase_ms << " ms old";
        EXPECT_EQ(bench.lane.dropped_samples(), 0u);
        EXPECT_LE(bench.biggest_step, bench.tone.biggest_step());
    }
}

TEST(SoundLaneTest, ClocksMayDriftWithoutAClick) {
    // 200 ppm are 12 ms a minute; ten minutes of each, and twice that.
    for (const std::int64_t ppm : {-200, 200, -400, 400}) {
        Bench bench;
        bench.run(600, kFrameNs + kFrameNs * ppm / 1'000'000, 12 * kMs, [](auto) { return 0; });
        EXPECT_EQ(bench.missing, 0u) << ppm << " ppm";
        EXPECT_LE(bench.biggest_step, bench.tone.biggest_step() * 102 / 100) << ppm << " ppm";
        EXPECT_GE(bench.frames, 600u * 50 - 2);
    }
}

TEST(SoundLaneTest, JitterIsLearntOnceAndForgottenAgain) {
    Bench bench;
    // Each 50th packet is 15 ms late, which the first of them costs a gap.
    const auto late = [](std::int64_t n) { return n % 50 == 49 ? 15 * kMs : 0; };
    bench.run(30, kFrameNs, 11 * kMs, late);
    EXPECT_LE(bench.missing, 3u) << "the gap, and the frames until enough is there again";
    const std::uint64_t missing = bench.missing;
    bench.run(60, kFrameNs, 11 * kMs, [](auto) { return 0; });
    EXPECT_EQ(bench.missing, missing);
    EXPECT_LE(bench.biggest_step, bench.tone.biggest_faded_step())
        << "what ends and begins is faded";
}

TEST(SoundLaneTest, ALongPacketIsNoReasonToSkip) {
    Bench bench;
    const std::int64_t start = g_now_ns;
    for (int tick = 0; tick < 600; ++tick) {
        g_now_ns = start + tick * kFrameNs;
        if (tick % 6 == 0) bench.lane.write(bench.tone.next(6 * SoundLane::kFrameSamples));
        g_now_ns += 12 * kMs;
        bench.read();
    }
    EXPECT_EQ(bench.missing, 0u);
    EXPECT_EQ(bench.lane.dropped_samples(), 0u);
    EXPECT_LE(bench.biggest_step, bench.tone.biggest_step());
}

TEST(SoundLaneTest, WhatBecameTooMuchIsSkippedAndFaded) {
    Bench bench;
    bench.run(1, kFrameNs, 11 * kMs, [](auto) { return 0; });
    bench.lane.write(bench.tone.next(8 * SoundLane::kFrameSamples));
    bench.lane.write(bench.tone.next(SoundLane::kFrameSamples));
    bench.read();
    EXPECT_GT(bench.lane.dropped_samples(), 5u * SoundLane::kFrameSamples);
    EXPECT_LE(bench.biggest_step, bench.tone.biggest_faded_step());

    bench.lane.write(bench.tone.next(3 * SoundLane::kCapacity));
    EXPECT_EQ(bench.read(), SoundLane::Read::Frame) << "more than it holds is no trouble";
}

TEST(SoundLaneTest, DriesUpOnceAndIsIdleThen) {
    Bench bench;
    EXPECT_EQ(bench.read(), SoundLane::Read::Idle);
    bench.run(1, kFrameNs, 11 * kMs, [](auto) { return 0; });
    EXPECT_EQ(bench.missing, 0u);
    while (bench.read() == SoundLane::Read::Frame) {
    }
    EXPECT_EQ(bench.missing, 1u);
    EXPECT_EQ(bench.read(), SoundLane::Read::Idle);
    EXPECT_LE(bench.biggest_step, bench.tone.biggest_faded_step()) << "its last sound dies away";
    bench.lane.write(bench.tone.next(SoundLane::kFrameSamples));
    EXPECT_EQ(bench.read(), SoundLane::Read::Missing) << "something is there, but not enough";
    g_now_ns += kFrameNs;
    EXPECT_EQ(bench.read(), SoundLane::Read::Frame);
}

TEST(SoundLaneTest, TwoThreadsHearARampAsARamp) {
    constexpr std::int16_t kTop = 30'000;
    SoundLane lane;
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
        std::int16_t value = 0;
        std::vector<std::int16_t> pcm;
        for (std::size_t i = 0; i < 4'000; ++i) {
            pcm.resize(80 + i % 7 * 40);
            for (auto& sample : pcm) {
                sample = value;
                value = value == kTop ? std::int16_t{0} : static_cast<std::int16_t>(value + 1);
            }
            lane.write(pcm);
            if (i % 4 == 0) std::this_thread::yield();
        }
        is_done = true;
    });
    Frame frame;
    std::uint64_t checked = 0;
    while (!is_done) {
        if (lane.read(frame) != SoundLane::Read::Frame) continue;
        // Behind a fade, one by one, but where it is played faster or slower.
        if (frame[80] > kTop - 500 || frame[80] < 100) continue;
        for (std::size_t i = 81; i < frame.size(); ++i) {
            ASSERT_GE(frame[i], frame[i - 1]);
            ASSERT_LE(frame[i] - frame[i - 1], 2);
        }
        ++checked;
    }
    writer.join();
    EXPECT_GT(checked, 0u);
}

}  // namespace
}  // namespace offhook::model
