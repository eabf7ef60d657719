#include "model/voice_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace offhook::model {
namespace {

using Samples = std::vector<std::int16_t>;

Samples count_from(std::uint64_t from, std::size_t n) {
    Samples pcm(n);
    for (std::size_t i = 0; i < n; ++i) pcm[i] = static_cast<std::int16_t>(from + i);
    return pcm;
}

TEST(VoiceQueue, AnyChunkingGivesTheSameSamplesInOrder) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        std::mt19937 random(seed);
        VoiceQueue queue(1'000'000);
        const std::size_t largest_write = 1 + random() % 9000;
        const std::size_t largest_read = 1 + random() % 700;
        std::uint64_t wrote = 0;
        std::uint64_t read = 0;
        Samples out(largest_read);
        bool was_cut = true;
        while (wrote < 60'000 || read < wrote) {
            if (wrote < 60'000 && random() % 4 == 0) {
                const std::size_t n = random() % largest_write;
                wrote += n;
                ASSERT_EQ(queue.write(count_from(wrote - n, n)), wrote);
            }
            ASSERT_EQ(queue.queued_samples(), wrote - read);
            const std::size_t want = 1 + random() % largest_read;
            const std::size_t got = queue.read(std::span(out).first(want), was_cut);
            ASSERT_EQ(got, std::min<std::uint64_t>(want, wrote - read));
            ASSERT_FALSE(was_cut);
            for (std::size_t i = 0; i < got; ++i)
                ASSERT_EQ(out[i], static_cast<std::int16_t>(read + i));
            read += got;
            ASSERT_EQ(queue.read_samples(), read);
        }
        ASSERT_EQ(queue.written_samples(), wrote);
        ASSERT_EQ(queue.dropped_samples(), 0U);
    }
}

TEST(VoiceQueue, BeyondTheLimitTheOldestGo) {
    VoiceQueue queue(8000);
    EXPECT_EQ(queue.write(count_from(0, 5000)), 5000U);
    EXPECT_EQ(queue.write(count_from(5000, 5000)), 10'000U);
    EXPECT_EQ(queue.queued_samples(), 8000U);
    EXPECT_EQ(queue.dropped_samples(), 2000U);
    Samples out(8000);
    bool was_cut = false;
    EXPECT_EQ(queue.read(std::span(out).first(160), was_cut), 160U);
    EXPECT_TRUE(was_cut);
    EXPECT_EQ(out[0], 2000);
    EXPECT_EQ(queue.read(out, was_cut), 7840U);
    EXPECT_FALSE(was_cut);
    EXPECT_EQ(out[7839], 9999);
    EXPECT_EQ(queue.read(out, was_cut), 0U);
}

TEST(VoiceQueue, AReaderThatStandsStillIsNoLeak) {
    VoiceQueue queue(8000);
    for (std::uint64_t i = 0; i < 100; ++i) queue.write(count_from(i * 1000, 1000));
    EXPECT_LT(queue.written_samples(), 3U * 8000);
    EXPECT_EQ(queue.queued_samples(), 8000U);
    EXPECT_EQ(queue.dropped_samples(), 100'000U - 8000);
    // It moves again: so does the queue.
    Samples out(20'000);
    bool was_cut = false;
    EXPECT_EQ(queue.read(out, was_cut), 8000U);
    EXPECT_TRUE(was_cut);
    const std::uint64_t before = queue.written_samples();
    EXPECT_EQ(queue.write(count_from(7, 8000)), before + 8000);
    EXPECT_EQ(queue.read(out, was_cut), 8000U);
    EXPECT_FALSE(was_cut);
    EXPECT_EQ(out[0], 7);
    EXPECT_EQ(out[7999], 8006);
}

TEST(VoiceQueue, ClearThrowsAwayWhatWaitsAndOnlyThat) {
    VoiceQueue queue(8000);
    Samples out(8000);
    bool was_cut = true;
    queue.clear();  // of nothing is nothing
    EXPECT_EQ(queue.read(out, was_cut), 0U);
    EXPECT_FALSE(was_cut);
    queue.write(count_from(0, 1000));
    EXPECT_EQ(queue.read(std::span(out).first(100), was_cut), 100U);
    queue.clear();
    EXPECT_EQ(queue.queued_samples(), 0U);
    queue.write(count_from(5000, 500));
    EXPECT_EQ(queue.queued_samples(), 500U);
    EXPECT_EQ(queue.read(out, was_cut), 500U);
    EXPECT_TRUE(was_cut);
    EXPECT_EQ(out[0], 5000);
    EXPECT_EQ(queue.dropped_samples(), 0U);
}

// The reader runs, finds nothing each time because all was cleared, and still gives the memory
// back.
TEST(VoiceQueue, ClearedBeforeEachReadItNeverFills) {
    VoiceQueue queue(8000);
    Samples out(160);
    bool was_cut = false;
    for (std::uint64_t i = 0; i < 200; ++i) {
        ASSERT_EQ(queue.write(count_from(0, 1000)), (i + 1) * 1000);
        queue.clear();
        ASSERT_EQ(queue.read(out, was_cut), 0U);
        ASSERT_TRUE(was_cut);
    }
    EXPECT_EQ(queue.dropped_samples(), 0U);
}

TEST(VoiceQueue, ChunksGoBackToThePoolAsTheyArePlayed) {
    auto pool = std::make_shared<VoicePool>(std::size_t{1} << 20U);
    {
        VoiceQueue queue(480'000, pool);
        queue.write(count_from(0, 64'000));
        EXPECT_EQ(pool->used_bytes(), 20 * sizeof(VoiceChunk));
        Samples out(160);
        bool was_cut = false;
        for (int i = 0; i < 200; ++i) queue.read(out, was_cut);
        queue.reclaim();
        EXPECT_EQ(pool->used_bytes(), 10 * sizeof(VoiceChunk)) << "nothing was written meanwhile";
        queue.clear();
        queue.read(out, was_cut);
        queue.reclaim();
        EXPECT_EQ(pool->used_bytes(), sizeof(VoiceChunk)) << "the one that the reader holds";
    }
    EXPECT_EQ(pool->used_bytes(), 0U);
}

TEST(VoiceQueue, AnEmptyPoolTakesNoMoreAndSaysSo) {
    auto pool = std::make_shared<VoicePool>(3 * sizeof(VoiceChunk));
    VoiceQueue greedy(480'000, pool);
    VoiceQueue other(480'000, pool);
    EXPECT_EQ(greedy.write(count_from(0, 20'000)), 3U * VoiceChunk::kSamples);
    EXPECT_EQ(greedy.dropped_samples(), 20'000U - 3 * VoiceChunk::kSamples);
    EXPECT_EQ(other.write(count_from(0, 100)), 0U);
    Samples out(VoiceChunk::kSamples + 1);
    bool was_cut = false;
    EXPECT_EQ(greedy.read(out, was_cut), out.size());
    greedy.reclaim();
    EXPECT_EQ(other.write(count_from(0, 100)), 100U);
    EXPECT_EQ(other.read(out, was_cut), 100U);
    EXPECT_EQ(out[99], 99);
}

TEST(VoiceQueue, WhatIsFadedStandsBeforeTheCut) {
    VoiceQueue queue(8000);
    queue.write(count_from(0, 1000));
    queue.clear();
    EXPECT_TRUE(queue.is_cut());
    Samples out(40);
    EXPECT_EQ(queue.read_before_cut(out), 40U);
    EXPECT_EQ(out[39], 39);
    queue.write(count_from(1000, 100));
    queue.skip(30);
    EXPECT_FALSE(queue.is_cut());
    EXPECT_EQ(queue.read_samples(), 1030U);
    bool was_cut = true;
    EXPECT_EQ(queue.read(out, was_cut), 40U);
    EXPECT_FALSE(was_cut);
    EXPECT_EQ(out[0], 1030);
    queue.skip(1000);
    EXPECT_EQ(queue.read_samples(), 1100U) << "not beyond what was written";
}

// A writer that writes bursts, clears and overruns, a reader at its own pace: samples come from
// where the reader stands, a jump is always told, and no chunk is freed under the reader (address
// and thread sanitizer watch).
TEST(VoiceQueue, TwoThreads) {
    constexpr std::uint64_t kTotal = 3'000'000;
    VoiceQueue queue(20'000);
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
        std::mt19937 random(42);
        std::uint64_t wrote = 0;
        while (wrote < kTotal) {
            const std::size_t n = random() % 5000;
            wrote = queue.write(count_from(wrote, n));
            if (random() % 64 == 0) queue.clear();
        }
        is_done.store(true);
    });
    Samples out(640);
    std::uint64_t expected = 0;
    std::uint64_t cuts = 0;
    bool is_wrong = false;
    std::mt19937 random(7);
    for (;;) {
        const bool was_done = is_done.load();
        bool was_cut = false;
        const std::size_t n = queue.read(std::span(out).first(random() % 640), was_cut);
        const std::uint64_t first = queue.read_samples() - n;
        is_wrong |= was_cut ? first < expected : first != expected;
        for (std::size_t i = 0; i < n; ++i)
            is_wrong |= out[i] != static_cast<std::int16_t>(first + i);
        expected = first + n;
        cuts += was_cut ? 1 : 0;
        if (was_done && queue.queued_samples() == 0) break;
    }
    writer.join();
    EXPECT_FALSE(is_wrong);
    EXPECT_EQ(queue.queued_samples(), 0U);
    EXPECT_GT(cuts, 0U);
}

}  // namespace
}  // namespace offhook::model
