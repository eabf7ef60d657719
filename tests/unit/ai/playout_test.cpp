#include "ai/playout.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hand_line.h"

namespace offhook::ai {
namespace {

using Samples = std::vector<std::int16_t>;
using Range = std::pair<std::uint64_t, std::uint64_t>;

constexpr std::int16_t kPrompt = -1;

/// The value of a bot's sample tells its position.
std::int16_t value_at(std::uint64_t position) {
    return static_cast<std::int16_t>(position % 30011);
}

Samples bot_sound(std::uint64_t from, std::size_t samples) {
    Samples pcm(samples);
    for (std::size_t i = 0; i < samples; ++i) pcm[i] = value_at(from + i);
    return pcm;
}

struct Recorder final : Playout::Events {
    struct Mark {
        std::string name;
        bool is_played;
        std::uint64_t position;
    };
    void on_mark(const std::string& name, bool is_played, std::uint64_t position) override {
        marks.push_back({name, is_played, position});
    }
    void on_dropped(std::uint64_t from, std::uint64_t to) override {
        EXPECT_LT(from, to);
        if (!dropped.empty()) {
            EXPECT_GE(from, dropped.back().second) << "rising, and once";
        }
        dropped.emplace_back(from, to);
    }
    void on_started(std::uint64_t position, std::int64_t left_ns) override {
        started.emplace_back(position, left_ns);
    }
    void on_drained(std::uint64_t position) override { drained.push_back(position); }

    [[nodiscard]] std::uint64_t dropped_samples() const {
        std::uint64_t sum = 0;
        for (const auto& [from, to] : dropped) sum += to - from;
        return sum;
    }
    std::vector<Mark> marks;
    std::vector<Range> dropped;
    std::vector<std::pair<std::uint64_t, std::int64_t>> started;
    std::vector<std::uint64_t> drained;
};

class PlayoutTest : public testing::Test {
protected:
    std::uint64_t say(std::size_t samples) {
        written += samples;
        EXPECT_EQ(playout.write(bot_sound(written - samples, samples)), written);
        return written;
    }

    Recorder events;
    std::shared_ptr<model::AudioPort> port = std::make_shared<model::AudioPort>(8000);
    HandLine line{port};
    Playout playout{port, 8000, 60'000, events};
    std::uint64_t written = 0;
};

TEST_F(PlayoutTest, AMarkWaitsForThePacketNotForTheFrame) {
    say(160);
    playout.mark("one");
    say(160);
    playout.mark("two");
    line.make();
    line.make();
    playout.look(0);
    EXPECT_TRUE(events.marks.empty()) << "made, and still under way";
    EXPECT_EQ(playout.totals().queued, 320U);
    line.settle(true, 777);
    playout.look(0);
    ASSERT_EQ(events.marks.size(), 1U);
    EXPECT_EQ(events.marks[0].name, "one");
    EXPECT_TRUE(events.marks[0].is_played);
    EXPECT_EQ(events.marks[0].position, 160U);
    ASSERT_EQ(events.started.size(), 1U);
    EXPECT_EQ(events.started[0], std::pair(std::uint64_t{0}, std::int64_t{777}));
    EXPECT_TRUE(events.drained.empty());
    line.settle(true, 797);
    playout.look(0);
    ASSERT_EQ(events.marks.size(), 2U);
    EXPECT_EQ(events.drained, std::vector<std::uint64_t>{320});
    EXPECT_EQ(events.started.size(), 1U) << "no silence between";
    EXPECT_EQ(port->ledger.left_samples(), 320U);
    EXPECT_EQ(port->ledger.left_ns(), 797);
}

TEST_F(PlayoutTest, AMarkWithNothingBeforeItComesAtOnce) {
    playout.mark("empty");
    ASSERT_EQ(events.marks.size(), 1U);
    EXPECT_TRUE(events.marks[0].is_played);
    say(160);
    playout.clear();
    playout.mark("cleared before it came");
    line.frame();
    playout.look(0);
    ASSERT_EQ(events.marks.size(), 2U);
    EXPECT_TRUE(events.marks[1].is_played) << "nothing of its own was lost";
}

TEST_F(PlayoutTest, ClearTellsWhereItCut) {
    say(8000);
    playout.mark("end");
    line.frame();
    line.frame();
    playout.clear();
    playout.look(0);
    EXPECT_TRUE(events.dropped.empty()) << "not before the line has done it";
    line.frame();
    playout.look(0);
    EXPECT_EQ(events.dropped, std::vector<Range>({{320, 8000}}));
    ASSERT_EQ(events.marks.size(), 1U);
    EXPECT_FALSE(events.marks[0].is_played);
    const Playout::Totals totals = playout.totals();
    EXPECT_EQ(totals.left, 320U);
    EXPECT_EQ(totals.cleared, 7680U);
    EXPECT_EQ(totals.queued, 0U);
    say(320);
    line.frame(5000);
    playout.look(0);
    ASSERT_EQ(events.started.size(), 2U) << "a new utterance";
    EXPECT_EQ(events.started[1], std::pair(std::uint64_t{8000}, std::int64_t{5000}));
}

TEST_F(PlayoutTest, WhatTheLimitDropsIsCountedAndTold) {
    Recorder short_events;
    Playout small(port, 8000, 1000, short_events);
    EXPECT_EQ(small.write(bot_sound(0, 20'000)), 20'000U);
    small.look(0);
    line.frame();
    small.look(0);
    const Playout::Totals totals = small.totals();
    EXPECT_EQ(totals.written, 20'000U);
    // A line that stands still gets twice the limit and a chunk of memory, 19,200 samples; of those
    // the oldest went.
    EXPECT_EQ(totals.overflowed, 11'200U);
    EXPECT_EQ(short_events.dropped, std::vector<Range>({{0, 11'200}}));
    EXPECT_EQ(totals.left, 160U);
    EXPECT_EQ(totals.written, totals.left + totals.cleared + totals.overflowed + totals.queued);
}

TEST_F(PlayoutTest, PromptsTakeNoPositionsAndNoRoom) {
    Recorder short_events;
    Playout small(port, 8000, 1000, short_events);
    small.insert(Samples(40'000, kPrompt));
    small.mark("prompt");
    small.write(bot_sound(0, 8000));
    small.mark("bot");
    for (int i = 0; i < 250; ++i) line.frame();
    small.look(0);
    ASSERT_EQ(short_events.marks.size(), 1U);
    EXPECT_EQ(short_events.marks[0].name, "prompt");
    EXPECT_TRUE(short_events.started.empty()) << "that was no sample of the bot's";
    EXPECT_EQ(small.totals().left, 0U);
    for (int i = 0; i < 50; ++i) line.frame(100 + i);
    small.look(0);
    EXPECT_EQ(small.totals().left, 8000U);
    EXPECT_EQ(small.totals().overflowed, 0U);
    ASSERT_EQ(short_events.started.size(), 1U);
    EXPECT_EQ(line.heard.size(), 48'000U);
}

TEST_F(PlayoutTest, HeldFramesAndMutedOnesAreDropped) {
    say(800);
    line.make();
    line.settle(false, 1);
    line.frame();
    port->is_voice_muted = true;
    line.frame();
    port->is_voice_muted = false;
    line.frame();
    line.frame();
    playout.look(0);
    EXPECT_EQ(events.dropped, std::vector<Range>({{0, 160}, {320, 480}}));
    EXPECT_EQ(playout.totals().left, 480U);
    EXPECT_EQ(playout.totals().cleared, 320U);
}

TEST_F(PlayoutTest, TheNextPlayoutOfALineBeginsAtNought) {
    say(800);
    playout.clear();
    line.frame();
    playout.look(0);
    {
        Recorder other;
        Playout next(port, 16000, 60'000, other);
        EXPECT_EQ(next.write(Samples(640, 5)), 640U);
        next.mark("m");
        line.frame();
        line.frame();
        next.look(0);
        EXPECT_EQ(next.totals().left, 640U);
        ASSERT_EQ(other.marks.size(), 1U);
        EXPECT_EQ(other.marks[0].position, 640U);
        next.pause();
        EXPECT_TRUE(port->voice.is_paused());
    }
    EXPECT_FALSE(port->voice.is_paused()) << "whoever speaks next is heard";
}

TEST_F(PlayoutTest, OneMarkMoreThanThereMayBeIsPlayedAtOnce) {
    say(160);
    for (std::size_t i = 0; i < Playout::kMaxMarks; ++i) playout.mark(std::to_string(i));
    EXPECT_TRUE(events.marks.empty());
    playout.mark("more");
    ASSERT_EQ(events.marks.size(), 1U);
    EXPECT_EQ(events.marks[0].name, "more");
    line.frame();
    playout.look(0);
    EXPECT_EQ(events.marks.size(), Playout::kMaxMarks + 1);
}

// Whoever did not look for so long that the ledger forgot knows how much left all the same.
TEST_F(PlayoutTest, ALateLookLosesNoSample) {
    for (int i = 0; i < 200; ++i) {
        say(100);
        line.frame();
        line.make();
        line.settle(i % 3 != 0, 1);
    }
    playout.look(0);
    const Playout::Totals totals = playout.totals();
    EXPECT_EQ(totals.left, port->ledger.left_samples());
    EXPECT_EQ(totals.written, totals.left + totals.cleared);
    EXPECT_EQ(events.dropped_samples(), totals.cleared);
}

// Everything that can happen, in any order, against what was heard.
class AnyOrder : public testing::TestWithParam<std::uint32_t> {};

TEST_P(AnyOrder, EverySampleIsAccountedFor) {
    const std::uint32_t bot_hz = GetParam();
    for (unsigned seed = 0; seed < (bot_hz == 8000 ? 40U : 5U); ++seed) {
        std::mt19937 random(seed);
        auto port = std::make_shared<model::AudioPort>(8000);
        HandLine line(port);
        Recorder events;
        Playout playout(port, bot_hz, 1000, events);
        std::uint64_t written = 0;
        std::size_t marks = 0;
        std::vector<std::uint64_t> mark_positions;
        const auto check = [&] {
            const Playout::Totals totals = playout.totals();
            ASSERT_EQ(totals.written, written);
            ASSERT_EQ(totals.written,
                      totals.left + totals.cleared + totals.overflowed + totals.queued);
        };
        for (int step = 0; step < 1500; ++step) {
            const auto what = random() % 100;
            if (what < 25) {
                const std::size_t n = random() % (random() % 8 == 0 ? 20'000 : 900);
                written += n;
                ASSERT_EQ(playout.write(bot_sound(written - n, n)), written);
            } else if (what < 27) {
                playout.clear();
            } else if (what < 29) {
                random() % 3 == 0 ? playout.pause() : playout.resume();
            } else if (what < 33) {
                mark_positions.push_back(written);
                playout.mark(std::to_string(marks++));
            } else if (what < 34) {
                port->is_voice_muted = random() % 4 == 0;
            } else if (what < 35) {
                playout.insert(Samples(random() % 2000, kPrompt));
            } else if (what < 60) {
                if (line.under_way() < 100) line.make();  // the ledger knows the last 128
            } else if (what < 85) {
                line.settle(random() % 16 != 0, step);
            } else {
                playout.look(step);
                check();
            }
        }
        playout.resume();
        port->is_voice_muted = false;
        for (bool has_more = true; has_more;) {
            has_more = port->voice.queued_samples() > 0;
            line.make();
            line.settle(true, 9999);
        }
        while (line.under_way() > 0) line.settle(true, 9999);
        playout.look(9999);
        check();
        const Playout::Totals totals = playout.totals();
        ASSERT_EQ(totals.queued, 0U) << "seed " << seed;
        ASSERT_EQ(events.dropped_samples(), totals.cleared + totals.overflowed);
        ASSERT_EQ(events.marks.size(), marks);
        for (std::size_t i = 0; i < marks; ++i) {
            ASSERT_EQ(events.marks[i].name, std::to_string(i)) << "in order";
            ASSERT_EQ(events.marks[i].position, mark_positions[i]);
        }
        if (bot_hz != port->sample_rate_hz) continue;
        // What was heard is what was not dropped, once and in order.
        Samples expected;
        events.dropped.emplace_back(written, written);
        std::uint64_t at = 0;
        for (const auto& [from, to] : events.dropped) {
            for (; at < from; ++at) expected.push_back(value_at(at));
            at = to;
        }
        std::erase(line.heard, kPrompt);
        const auto [heard, wanted] =
            std::mismatch(line.heard.begin(), line.heard.end(), expected.begin(), expected.end());
        ASSERT_TRUE(heard == line.heard.end() && wanted == expected.end())
            << "seed " << seed << ", sample " << heard - line.heard.begin() << " of "
            << line.heard.size() << '/' << expected.size();
    }
}
INSTANTIATE_TEST_SUITE_P(Rates, AnyOrder, testing::Values(8000U, 16000U, 24000U, 48000U));

// The bot's thread and the line's, as they are (thread sanitizer watches).
TEST(PlayoutThreads, EverySampleIsAccountedFor) {
    auto port = std::make_shared<model::AudioPort>(8000);
    std::atomic<bool> is_done{false};
    HandLine line(port);
    std::thread worker([&] {
        std::mt19937 random(5);
        for (;;) {
            const bool was_done = is_done.load();
            for (auto i = random() % 3; i > 0 && line.under_way() < 100; --i) line.make();
            line.settle(random() % 32 != 0, 1);
            if (was_done && port->voice.queued_samples() == 0) break;
        }
        line.make();
        while (line.under_way() > 0) line.settle(true, 1);
    });
    Recorder events;
    Playout playout(port, 8000, 2000, events);
    std::mt19937 random(6);
    std::uint64_t written = 0;
    for (int i = 0; i < 3000; ++i) {
        const std::size_t n = random() % 1500;
        written += n;
        playout.write(bot_sound(written - n, n));
        if (random() % 50 == 0) playout.clear();
        if (random() % 50 == 0) playout.pause();
        if (random() % 10 == 0) playout.resume();
        if (random() % 20 == 0) playout.mark(std::to_string(i));
        playout.look(i);
        const Playout::Totals totals = playout.totals();
        ASSERT_EQ(totals.written, totals.left + totals.cleared + totals.overflowed + totals.queued);
    }
    playout.resume();
    is_done = true;
    worker.join();
    playout.look(9999);
    const Playout::Totals totals = playout.totals();
    EXPECT_EQ(totals.queued, 0U);
    EXPECT_EQ(totals.written, written);
    EXPECT_EQ(totals.left, line.heard.size());
    EXPECT_EQ(totals.left, port->ledger.left_samples());
    EXPECT_EQ(events.dropped_samples(), totals.cleared + totals.overflowed);
}

}  // namespace
}  // namespace offhook::ai
