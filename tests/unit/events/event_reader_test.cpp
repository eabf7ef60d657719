#include "events/event_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "hand_executor.h"

namespace offhook::events {
namespace {

using log::Level;
using log::Mark;

class EventReaderTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(
            log::setup({.level = Level::Error, .format = log::Format::Json, .file = "/dev/null"}));
        log_.emplace(EventLog::Options{.keep = 5}, control_);
    }
    void TearDown() override { log::shutdown(); }
    void say(std::string_view type, int times = 1) {
        for (int i = 0; i < times; ++i) log::write(Level::Info, Mark::None, type, {}, "m");
        control_.run();
    }
    // "3" for an event, "1..2" for a gap, one after another.
    static std::string all(EventReader& reader) {
        std::string told;
        for (;;) {
            const EventReader::Next next = reader.next();
            if (std::holds_alternative<std::monostate>(next)) return told;
            if (!told.empty()) told += ' ';
            if (const auto* event = std::get_if<EventRef>(&next)) {
                told += std::to_string((*event)->seq);
            } else {
                const Gap& gap = std::get<Gap>(next);
                told += gap.instance + std::to_string(gap.from) + ".." + std::to_string(gap.to);
            }
        }
    }

    HandExecutor control_;
    std::optional<EventLog> log_;
};

TEST_F(EventReaderTest, WithoutABookmarkOnlyWhatComesIsTold) {
    say("a.a", 2);
    EventReader reader(*log_, {}, std::nullopt);
    EXPECT_EQ(all(reader), "");
    say("a.a", 2);
    EXPECT_EQ(all(reader), "3 4");
    EXPECT_EQ(reader.told(), 4U);
}

TEST_F(EventReaderTest, GoesOnBehindItsBookmark) {
    say("a.a", 4);
    EventReader reader(*log_, {}, Bookmark{.seq = 2});
    EXPECT_EQ(all(reader), "3 4");
    EventReader same(*log_, {}, Bookmark{.instance = log_->instance(), .seq = 4});
    EXPECT_EQ(all(same), "");
}

TEST_F(EventReaderTest, WhatIsKeptNoMoreIsAGap) {
    say("a.a", 8);
    EventReader reader(*log_, {}, Bookmark{.seq = 1});
    EXPECT_EQ(all(reader), "2..3 4 5 6 7 8");
    EXPECT_EQ(reader.lost(), 2U);
}

TEST_F(EventReaderTest, OneThatIsSlowIsToldAGapAsWell) {
    EventReader reader(*log_, {}, Bookmark{});
    say("a.a", 3);
    EXPECT_EQ(std::get<EventRef>(reader.next())->seq, 1U);
    say("a.a", 5);
    EXPECT_EQ(all(reader), "2..3 4 5 6 7 8");
}

TEST_F(EventReaderTest, NumbersOfAnotherInstanceAreAGapWithoutAnEnd) {
    say("a.a", 2);
    EventReader other(*log_, {}, Bookmark{.instance = "0123456789abcdef", .seq = 7});
    EXPECT_EQ(all(other), "0123456789abcdef8..0 1 2");
    // A number that we have not given yet cannot be ours.
    EventReader future(*log_, {}, Bookmark{.seq = 7});
    EXPECT_EQ(all(future), "unknown8..0 1 2");
}

TEST_F(EventReaderTest, WhatIsNotWantedIsPassedOver) {
    say("a.a");
    say("b.b", 2);
    say("a.a");
    EventReader reader(*log_, {.types = {"a.*"}}, Bookmark{});
    EXPECT_EQ(all(reader), "1 4");
    EXPECT_EQ(reader.told(), 4U);
}

TEST(Bookmarks, AreNumbersWithOrWithoutAnInstance) {
    EXPECT_EQ(parse_bookmark("17")->seq, 17U);
    EXPECT_EQ(parse_bookmark("0123456789abcdef-17")->instance, "0123456789abcdef");
    for (const char* bad :
         {"", "-", "x", "17x", "0123-17", "0123456789abcdef-", "-17", "99999999999999999999999"}) {
        EXPECT_FALSE(parse_bookmark(bad)) << bad;
    }
}

TEST(Gaps, AreMessages) {
    EXPECT_EQ(gap_json({.from = 2, .to = 3}), R"({"type":"gap","from":2,"to":3})");
    EXPECT_EQ(gap_json({.from = 8, .to = 0, .instance = "abc"}),
              R"({"type":"gap","from":8,"to":null,"instance":"abc"})");
}

}  // namespace
}  // namespace offhook::events
