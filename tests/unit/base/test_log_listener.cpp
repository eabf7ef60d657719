#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"

namespace offhook::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What is told is told beside the log itself, whose text nobody needs to see here.
class LogListener : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(setup({.level = Level::Error, .format = Format::Json, .file = "/dev/null"}));
    }
    void TearDown() override { shutdown(); }
    std::function<void(const Record&)> into(std::vector<std::string>& names) {
        return [&names](const Record& record) { names.emplace_back(record.event); };
    }
};

TEST_F(LogListener, IsToldEachEventWithItsFieldsWhateverTheLevelOfTheLog) {
    std::vector<std::string> seen;
    const Listening listening = set_listener([&](const Record& record) {
        EXPECT_GT(record.realtime_ns, 0);
        EXPECT_EQ(record.level, Level::Warning);
        EXPECT_EQ(record.call, "c-1");
        EXPECT_EQ(record.message, "m");
        ASSERT_EQ(record.fields.size(), 2U);
        EXPECT_EQ(record.fields[0].key, "gap_ms");
        EXPECT_EQ(std::get<std::int64_t>(record.fields[0].value), 7);
        EXPECT_EQ(std::get<std::string_view>(record.fields[1].value), "text");
        seen.emplace_back(record.event);
    });
    ASSERT_TRUE(listening.is_on());
    write(Level::Warning, Mark::Call, "call.oneway", "c-1", "m", {{"gap_ms", 7}, {"t", "text"}});
    EXPECT_THAT(seen, ElementsAre("call.oneway"));
}

TEST_F(LogListener, IsToldNeitherProseNorDebug) {
    std::vector<std::string> seen;
    const Listening listening = set_listener(into(seen));
    write(Level::Info, Mark::None, {}, {}, "prose");
    write(Level::Debug, Mark::None, "rtp.trace", {}, "m");
    EXPECT_THAT(seen, IsEmpty());
}

TEST_F(LogListener, SeveralListenUntilEachStops) {
    std::vector<std::string> one;
    std::vector<std::string> two;
    Listening first = set_listener(into(one));
    {
        const Listening second = set_listener(into(two));
        write(Level::Info, Mark::None, "a.a", {}, {});
    }
    write(Level::Info, Mark::None, "b.b", {}, {});
    first.stop();
    EXPECT_FALSE(first.is_on());
    write(Level::Info, Mark::None, "c.c", {}, {});
    EXPECT_THAT(one, ElementsAre("a.a", "b.b"));
    EXPECT_THAT(two, ElementsAre("a.a"));
}

TEST_F(LogListener, WhatAListenerWritesIsToldToNobody) {
    int times = 0;
    const Listening listening = set_listener([&](const Record&) {
        ++times;
        write(Level::Info, Mark::None, "inner.line", {}, {});
    });
    write(Level::Info, Mark::None, "outer.line", {}, {});
    EXPECT_EQ(times, 1);
}

TEST_F(LogListener, OneTooManyHasNoPlaceAndAPlaceIsFreeAgainAfterwards) {
    std::vector<Listening> all;
    for (std::size_t i = 0; i < kMaxListeners; ++i)
        all.push_back(set_listener([](const Record&) {}));
    EXPECT_TRUE(all.back().is_on());
    EXPECT_FALSE(set_listener([](const Record&) {}).is_on());
    all.pop_back();
    EXPECT_TRUE(set_listener([](const Record&) {}).is_on());
}

// For TSan above all: what a listener refers to may go as soon as `stop` returned.
TEST_F(LogListener, NothingIsToldAfterStopReturned) {
    std::atomic<bool> is_over{false};
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
        writers.emplace_back([&] {
            while (!is_over) write(Level::Info, Mark::None, "a.line", "c-1", "m", {{"n", 1}});
        });
    }
    std::atomic<std::uint64_t> told{0};
    for (int i = 0; i < 200; ++i) {
        std::mutex mutex;
        auto gone = std::make_unique<std::uint64_t>(0);
        Listening listening = set_listener([&](const Record&) {
            const std::lock_guard lock(mutex);
            ++*gone;
        });
        const Listening other = set_listener([&](const Record&) { ++told; });
        while (told.load() < static_cast<std::uint64_t>(i)) std::this_thread::yield();
        listening.stop();
        gone.reset();
    }
    is_over = true;
    for (std::thread& writer : writers) writer.join();
    EXPECT_GE(told.load(), 199U);
}

}  // namespace
}  // namespace offhook::log
