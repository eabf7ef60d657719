#include "stats/leg_record.h"

#include <gtest/gtest.h>

#include "base/monotonic.h"

namespace offhook {
namespace {

using model::LegStats;
using stats::History;
using stats::LegRecord;
using Resolution = stats::History::Resolution;

constexpr std::int64_t kEpochNs = 1'790'000'000 * base::kNsPerS;

/// A leg whose seconds pass as told.
struct Leg {
    LegRecord record{model::Codec::Pcmu};
    LegStats stats;
    stats::Moment moment{.now_ns = base::kNsPerS, .realtime_ns = kEpochNs, .is_sound_due = true};

    void second(unsigned sent = 50, unsigned received = 50, unsigned lost = 0) {
        moment.now_ns += base::kNsPerS;
        moment.realtime_ns += base::kNsPerS;
        stats.sent_packets += sent;
        stats.received_packets += received;
        stats.lost_packets += lost;
        if (lost > 0) ++stats.loss_runs;
        record.sample(stats, moment);
    }
    [[nodiscard]] std::vector<stats::HistoryRow> rows(Resolution r = Resolution::Second) const {
        return record.history().rows(r);
    }
};

TEST(LegRecord, ASecondIsWhatWasNewInIt) {
    Leg leg;
    leg.stats.jitter_ms = 3.24;
    leg.stats.round_trip_ms = 41.27;
    leg.stats.received_level_dbov = -23.6;
    leg.stats.sent_level_dbov = -31;
    leg.stats.voice_queued_samples = 800;
    leg.stats.last_source = model::FrameSource::Ai;
    leg.moment.gap_ns = 33 * base::kNsPerMs;
    leg.second();
    leg.stats.concealed_samples = 320;
    leg.second(50, 48, 2);
    const auto rows = leg.rows();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].at_ms, kEpochNs / base::kNsPerMs + 1000);
    EXPECT_EQ(rows[1].sent, 50U);
    EXPECT_EQ(rows[1].received, 48U);
    EXPECT_EQ(rows[1].lost, 2U);
    EXPECT_DOUBLE_EQ(rows[1].jitter_ms, 3.2);
    EXPECT_DOUBLE_EQ(rows[1].round_trip_ms, 41.3);
    EXPECT_DOUBLE_EQ(rows[1].level_in_dbov, -24);
    EXPECT_DOUBLE_EQ(rows[1].level_out_dbov, -31);
    EXPECT_DOUBLE_EQ(rows[1].max_gap_ms, 33);
    EXPECT_DOUBLE_EQ(rows[1].ai_queued_ms, 100);
    EXPECT_DOUBLE_EQ(rows[1].concealed_ms, 40);
    EXPECT_EQ(rows[1].source, model::FrameSource::Ai);
    EXPECT_GT(rows[0].mos, 4.3);
    EXPECT_LT(rows[1].mos, rows[0].mos);
}

TEST(LegRecord, WhatIsNotKnownIsNot) {
    Leg leg;
    leg.second(50, 0);
    const auto row = leg.rows().at(0);
    EXPECT_EQ(row.jitter_ms, -1);
    EXPECT_EQ(row.round_trip_ms, -1);
    EXPECT_EQ(row.mos, -1);
    EXPECT_EQ(row.level_in_dbov, -127);
    const model::Quality q = leg.record.quality(leg.stats);
    EXPECT_EQ(q.mos, -1);
    EXPECT_EQ(q.loss_share, -1);
    EXPECT_EQ(q.jitter_ms, -1);
    EXPECT_EQ(q.round_trip_ms, -1);
    EXPECT_EQ(q.remote_loss_share, -1);
    EXPECT_EQ(q.inbound_silence_share, -1);
}

TEST(LegRecord, AGapThatGoesOnIsSeenWhileItDoes) {
    Leg leg;
    leg.stats.since_last_sent_ms = 700;
    leg.second(15);
    EXPECT_DOUBLE_EQ(leg.rows().back().max_gap_ms, 700);
    leg.moment.is_sending = false;  // hold
    leg.second(0);
    EXPECT_DOUBLE_EQ(leg.rows().back().max_gap_ms, 0);
}

TEST(LegRecord, TheLossOfASecondIsForgottenByItsMosAfterTen) {
    Leg leg;
    leg.second();
    leg.second(50, 25, 25);
    const double bad = leg.rows().back().mos;
    for (int i = 0; i < 9; ++i) leg.second();
    EXPECT_LT(leg.rows().back().mos, 4.2);
    leg.second();
    EXPECT_GT(leg.rows().back().mos, 4.3);
    EXPECT_LT(bad, 3);
    EXPECT_LT(leg.record.quality(leg.stats).mos, 4.3);  // the call has not
}

TEST(LegRecord, TenSecondsSumCountsAndKeepTheWorstGap) {
    Leg leg;
    for (int i = 0; i < 20; ++i) {
        leg.moment.gap_ns = (i == 13 ? 120 : 21) * base::kNsPerMs;
        leg.stats.jitter_ms = i < 10 ? 2 : 4;
        leg.stats.received_level_dbov = i == 15 ? -20 : -127;
        leg.second();
    }
    const auto tens = leg.rows(Resolution::TenSeconds);
    ASSERT_EQ(tens.size(), 2U);
    EXPECT_EQ(tens[0].sent, 500U);
    EXPECT_EQ(tens[0].max_gap_ms, 21);
    EXPECT_EQ(tens[1].max_gap_ms, 120);
    EXPECT_DOUBLE_EQ(tens[0].jitter_ms, 2);
    EXPECT_DOUBLE_EQ(tens[1].jitter_ms, 4);
    EXPECT_DOUBLE_EQ(tens[1].level_in_dbov, -30);  // a tenth of the power
    EXPECT_EQ(tens[1].at_ms, leg.rows().back().at_ms);
}

TEST(LegRecord, KeepsFiveMinutesAndAnHourIn48KiB) {
    Leg leg;
    EXPECT_LT(leg.record.history().bytes(), 1024U);
    for (int i = 0; i < 30; ++i) leg.second();
    EXPECT_LT(leg.record.history().bytes(), 4U * 1024);  // a short call is cheap
    for (int i = 0; i < 4000; ++i) leg.second();
    const auto rows = leg.rows();
    EXPECT_EQ(rows.size(), 300U);
    EXPECT_EQ(rows.back().at_ms - rows.front().at_ms, 299'000);
    EXPECT_EQ(rows.back().at_ms, leg.moment.realtime_ns / base::kNsPerMs);
    const auto tens = leg.rows(Resolution::TenSeconds);
    EXPECT_EQ(tens.size(), 360U);
    EXPECT_EQ(tens.back().at_ms - tens.front().at_ms, 3'590'000);
    EXPECT_LE(sizeof(LegRecord) + leg.record.history().bytes(), 48U * 1024);
    EXPECT_LE(leg.record.history().bytes(), 29U * 1024);  // as docs/stats.md says
}

TEST(LegRecord, OneWayTimeCountsFromWhereTheSoundStopped) {
    Leg leg;
    leg.second();
    for (int i = 0; i < 3; ++i) leg.second(50, 0);
    EXPECT_EQ(leg.record.quality(leg.stats).oneway_ms, 0);
    leg.moment.is_oneway = true;
    leg.second(50, 0);
    leg.second(50, 0);
    EXPECT_EQ(leg.record.quality(leg.stats).oneway_ms, 5000);
    leg.moment.is_oneway = false;
    leg.second();
    leg.second(50, 0);  // a second is no one-way call
    leg.second();
    EXPECT_EQ(leg.record.quality(leg.stats).oneway_ms, 5000);
}

TEST(LegRecord, QualityOfACall) {
    Leg leg;
    leg.stats.jitter_ms = 2;
    leg.second();
    leg.stats.jitter_ms = 6;
    leg.second(50, 40, 10);
    LegStats& s = leg.stats;
    s.decoded_samples = 90 * 160;
    s.concealed_samples = 10 * 160;
    s.round_trips = 2;
    s.total_round_trip_ms = 90;
    s.round_trip_ms = 60;
    s.remote_reports = 1;
    s.remote_lost_packets = 5;
    s.remote_jitter_ms = 7;
    s.max_gap_ms = 44;
    s.received_sound = {.samples = 1000, .clipped_samples = 10, .seconds = 4, .silent_seconds = 1};
    s.received_sound.active_energy_s = 0.03;
    const model::Quality q = leg.record.quality(s);
    EXPECT_DOUBLE_EQ(q.loss_share, 0.1);
    EXPECT_DOUBLE_EQ(q.concealed_share, 0.1);
    EXPECT_DOUBLE_EQ(q.jitter_ms, 4);
    EXPECT_DOUBLE_EQ(q.jitter_max_ms, 6);
    EXPECT_DOUBLE_EQ(q.round_trip_ms, 45);
    EXPECT_DOUBLE_EQ(q.round_trip_max_ms, 60);
    EXPECT_DOUBLE_EQ(q.remote_loss_share, 0.05);
    EXPECT_DOUBLE_EQ(q.remote_jitter_ms, 7);
    EXPECT_DOUBLE_EQ(q.max_gap_ms, 44);
    EXPECT_DOUBLE_EQ(q.inbound_level_dbov, -20);
    EXPECT_DOUBLE_EQ(q.inbound_clipped_share, 0.01);
    EXPECT_DOUBLE_EQ(q.inbound_silence_share, 0.25);
    EXPECT_GT(q.r_factor, 0);
    EXPECT_LT(q.mos, 3.6);
}

TEST(LegRecord, LossFromTheFarEndBelowZeroIsNone) {
    Leg leg;
    leg.second();
    leg.stats.remote_reports = 1;
    leg.stats.remote_lost_packets = -1;  // RFC 3550 A.3: duplicates
    EXPECT_EQ(leg.record.quality(leg.stats).remote_loss_share, 0);
}

}  // namespace
}  // namespace offhook
