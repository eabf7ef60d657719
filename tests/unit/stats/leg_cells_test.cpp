// Cells of a leg that two threads share beside its plain counters.

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "model/leg_counters.h"
#include "session/endpoint.h"

namespace offhook {
namespace {

using model::LegCounters;

TEST(GapWindow, EachGapIsOfTheWindowItEndedIn) {
    LegCounters counters;
    EXPECT_EQ(counters.take_gap_ns(), 0);
    counters.note_gap(20);
    counters.note_gap(70);
    counters.note_gap(21);
    EXPECT_EQ(counters.take_gap_ns(), 70);
    EXPECT_EQ(counters.take_gap_ns(), 0);  // nothing was sent since
    counters.note_gap(22);
    EXPECT_EQ(counters.take_gap_ns(), 22);
    EXPECT_EQ(LegCounters::get(counters.max_gap_ns), 70);  // of the call
}

// What is lost at the turn of a window is one packet's gap at most, and never the call's.
TEST(GapWindow, IsTakenWhileTheWorkerNotes) {
    LegCounters counters;
    constexpr std::int64_t kLast = 100'000;
    std::jthread worker([&] {
        for (std::int64_t gap = 1; gap <= kLast; ++gap) counters.note_gap(gap);
    });
    std::int64_t longest = 0;
    while (LegCounters::get(counters.max_gap_ns) < kLast) {
        const std::int64_t gap = counters.take_gap_ns();
        EXPECT_GE(gap, 0);
        EXPECT_LE(gap, kLast);
        longest = std::max(longest, gap);
    }
    worker.join();
    longest = std::max(longest, counters.take_gap_ns());
    EXPECT_EQ(LegCounters::get(counters.max_gap_ns), kLast);
    EXPECT_GT(longest, 0);
}

TEST(SourceCells, KeepAnAddressOfEitherKind) {
    model::SourceCells cells;
    EXPECT_FALSE(session::source_of(cells).is_set());
    for (const char* host : {"192.0.2.7", "2001:db8::7", "::1", "127.0.0.1"}) {
        const auto source = session::Endpoint::make(host, 4711);
        ASSERT_TRUE(source);
        session::note_source(cells, *source);
        EXPECT_TRUE(session::source_of(cells) == *source) << host;
        EXPECT_EQ(session::source_of(cells).host(), host);
    }
}

TEST(SourceCells, CountWhatChanges) {
    model::SourceCells cells;
    const auto first = session::Endpoint::make("192.0.2.7", 4711);
    const auto other = session::Endpoint::make("192.0.2.7", 4713);
    session::note_source(cells, *first);
    session::note_source(cells, *first);
    EXPECT_EQ(LegCounters::get(cells.changes), 1U);
    session::note_source(cells, *other);
    EXPECT_EQ(LegCounters::get(cells.changes), 2U);
    EXPECT_EQ(session::source_of(cells).port(), 4713);
}

}  // namespace
}  // namespace offhook
