#include "cli/watch_view.h"

#include <gtest/gtest.h>

namespace offhook::cli {
namespace {

Sight sight_with(int calls) {
    Sight sight;
    sight.url = "http://127.0.0.1:5000";
    sight.daemon = {
        "ok", "0.1.0", "1 call alive, nothing wrong", 3725, static_cast<std::uint64_t>(calls)};
    for (int i = 0; i < calls; ++i) {
        WatchedCall call;
        call.id = "c-00000000000" + std::to_string(i % 10);
        call.state = "answered";
        call.codec = "PCMU";
        call.last_source = "ai";
        call.duration_ms = 61'000;
        call.sent_packets = 3050;
        call.received_packets = 3049;
        call.max_gap_ms = 21.3;
        call.sent_level_dbov = -30;
        sight.calls.push_back(call);
    }
    return sight;
}

/// The columns that a terminal would use: no colour sequences, one per code point.
int columns(const std::string& line) {
    int count = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\033') {
            i = line.find('m', i);
            continue;
        }
        if ((static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U) ++count;
    }
    return count;
}

bool contains(const std::string& line, const std::string& part) {
    return line.find(part) != std::string::npos;
}

TEST(WatchViewTest, ACallHasAllItsFiguresInALine) {
    const auto lines = screen_lines(sight_with(1), 160, 40);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(
        contains(lines[0], "Offhook 0.1.0 at http://127.0.0.1:5000, up 1:02:05: ok, 1 call alive"))
        << lines[0];
    for (const char* part : {"c-000000000000",
                             "answered",
                             "1:01",
                             "PCMU",
                             "3050",
                             "ai",
                             "21.3",
                             "████····",
                             "alive: the AI speaks"}) {
        EXPECT_TRUE(contains(lines[2], part)) << part << " in " << lines[2];
    }
}

TEST(WatchViewTest, NamesStandAboveTheirColumns) {
    const auto lines = screen_lines(sight_with(1), 200, 40);
    const auto column_of = [](const std::string& line, const std::string& part) {
        return columns(line.substr(0, line.find(part)));
    };
    EXPECT_EQ(column_of(lines[1], "state"), column_of(lines[2], "answered"));
    EXPECT_EQ(column_of(lines[1], "src"), column_of(lines[2], "ai  "));
    EXPECT_EQ(column_of(lines[1], "to them"), column_of(lines[2], "█"));
    EXPECT_EQ(column_of(lines[1], "verdict"), column_of(lines[2], "alive"));
}

TEST(WatchViewTest, NothingIsWiderOrHigherThanTheTerminal) {
    for (const int calls : {0, 1, 5, 100}) {
        for (const int width : {20, 40, 79, 95, 120}) {
            for (const int height : {4, 10, 24}) {
                Sight sight = sight_with(calls);
                sight.error = "cannot reach http://127.0.0.1:5000: Connection refused";
                const auto lines = screen_lines(sight, width, height);
                EXPECT_LE(lines.size(), static_cast<std::size_t>(height));
                for (const std::string& line : lines) EXPECT_LE(columns(line), width) << line;
            }
        }
    }
}

TEST(WatchViewTest, WhatDoesNotFitIsCounted) {
    Sight sight = sight_with(30);
    sight.daemon.active_calls = 700;
    sight.calls.back().since_last_sent_ms = 500;
    const auto lines = screen_lines(sight, 120, 10);
    ASSERT_EQ(lines.size(), 10U);
    EXPECT_TRUE(contains(lines.back(), "... and 693 more calls, 1 of them in trouble"))
        << lines.back();
}

TEST(WatchViewTest, WithoutCallsItWaits) {
    const auto lines = screen_lines(sight_with(0), 80, 24);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(contains(lines[1], "waiting for one"));
}

TEST(WatchViewTest, PlainLinesHaveNoControlSequences) {
    Sight sight = sight_with(2);
    const auto lines = plain_lines(sight);
    ASSERT_EQ(lines.size(), 3U);
    for (const std::string& line : lines) EXPECT_FALSE(contains(line, "\033"));
    EXPECT_TRUE(contains(lines[1], "sent 3050 source ai longest gap 21.3 ms")) << lines[1];
    sight.error = "gone";
    EXPECT_EQ(plain_lines(sight), std::vector<std::string>{"http://127.0.0.1:5000: gone"});
}

TEST(WatchViewTest, BarsAreClamped) {
    EXPECT_EQ(level_bar(-127, 4), "····");
    EXPECT_EQ(level_bar(-60, 4), "····");
    EXPECT_EQ(level_bar(-30, 4), "██··");
    EXPECT_EQ(level_bar(0, 4), "████");
    EXPECT_EQ(level_bar(5, 4), "████");
}

}  // namespace
}  // namespace offhook::cli
