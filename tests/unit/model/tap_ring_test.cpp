#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "model/audio_port.h"

namespace offhook::model {
namespace {

using Samples = std::vector<std::int16_t>;

/// `n` samples that count on from `from`.
Samples count_from(std::uint64_t from, std::size_t n) {
    Samples pcm(n);
    for (std::size_t i = 0; i < n; ++i) pcm[i] = static_cast<std::int16_t>(from + i);
    return pcm;
}

TEST(TapRing, WhatGoesInComesOutInOrder) {
    TapRing ring(4000);
    Samples out(10'000);
    EXPECT_EQ(ring.read(out), 0U);
    std::uint64_t wrote = 0;
    std::uint64_t read = 0;
    std::mt19937 random(1);
    for (int round = 0; round < 10'000; ++round) {
        const std::size_t n = random() % 500;
        ring.write(count_from(wrote, n));
        wrote += n;
        const std::size_t got = ring.read(std::span(out).first(random() % 1000));
        for (std::size_t i = 0; i < got; ++i)
            ASSERT_EQ(out[i], static_cast<std::int16_t>(read + i));
        read += got;
        while (wrote - read > 3000) read += ring.read(out);
    }
    EXPECT_EQ(ring.written_samples(), wrote);
    EXPECT_EQ(ring.dropped_samples(), 0U);
}

TEST(TapRing, OverrunDropsTheOldestAndCounts) {
    TapRing ring(1024);
    for (int i = 0; i < 20; ++i) ring.write(count_from(static_cast<std::uint64_t>(i) * 160, 160));
    Samples out(4000);
    EXPECT_EQ(ring.read(out), 1024U);
    EXPECT_EQ(out[0], 3200 - 1024);
    EXPECT_EQ(out[1023], 3199);
    EXPECT_EQ(ring.dropped_samples(), 3200U - 1024);
    ring.write(count_from(3200, 160));
    EXPECT_EQ(ring.read(out), 160U);
    EXPECT_EQ(out[0], 3200);
}

TEST(TapRing, CapacityIsAPowerOfTwoAndAtLeast1024) {
    for (const auto& [asked, given] :
         {std::pair{1, 1024}, std::pair{1024, 1024}, std::pair{1025, 2048}}) {
        TapRing ring(static_cast<std::size_t>(asked));
        for (int i = 0; i < 30; ++i) ring.write(count_from(0, 160));
        Samples out(8000);
        EXPECT_EQ(ring.read(out), static_cast<std::size_t>(given));
    }
}

// The reader is slower than the writer at times: whatever it gets is consecutive, and what it
// misses is counted.
TEST(TapRing, TwoThreadsNeverMixOldAndNew) {
    TapRing ring(1024);
    constexpr std::uint64_t kTotal = 2'000'000;
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
        std::uint64_t wrote = 0;
        while (wrote < kTotal) {
            ring.write(count_from(wrote, 160));
            wrote += 160;
        }
        is_done.store(true);
    });
    Samples out(700);
    std::uint64_t got = 0;
    bool is_torn = false;
    for (;;) {
        const bool was_done = is_done.load();
        const std::size_t n = ring.read(out);
        // Everything up to here is either read or counted, so the position of the first sample is
        // known.
        const std::uint64_t first = got + ring.dropped_samples();
        for (std::size_t i = 0; i < n; ++i)
            is_torn |= out[i] != static_cast<std::int16_t>(first + i);
        got += n;
        if (n == 0 && was_done) break;
    }
    writer.join();
    EXPECT_FALSE(is_torn);
    EXPECT_EQ(got + ring.dropped_samples(), ring.written_samples());
    EXPECT_GE(got, 1024U);
}

}  // namespace
}  // namespace offhook::model
