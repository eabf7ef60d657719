#include "caller/stream_meter.h"

#include <gtest/gtest.h>

#include <array>

namespace offhook::caller {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kAnswerNs = 1000 * kMs;

/// A stream that a test spoils packet by packet.
class StreamMeterTest : public testing::Test {
protected:
    void SetUp() override { meter_.answered(kAnswerNs, peer_, 0, std::uint8_t{101}); }

    StreamMeter::Verdict arrive(int index, std::int64_t at_ms) {
        return arrive(header(index), at_ms);
    }
    StreamMeter::Verdict arrive(const rtp::Header& header, std::int64_t at_ms) {
        return arrive_from(header, kAnswerNs + at_ms * kMs, peer_);
    }
    StreamMeter::Verdict arrive_from(const rtp::Header& header,
                                     std::int64_t at_ns,
                                     const Endpoint& from) {
        std::array<std::uint8_t, rtp::kHeaderBytes + 160> packet{};
        rtp::write_header(header, std::span(packet).first<rtp::kHeaderBytes>());
        last_ = meter_.packet(packet, from, at_ns);
        return last_.verdict;
    }
    static rtp::Header header(int index) {
        rtp::Header h;
        h.sequence = static_cast<std::uint16_t>(65530 + index);  // wraps early on
        h.timestamp_rtp = 0xFFFFFF00U + static_cast<std::uint32_t>(index) * 160U;
        h.ssrc = 7;
        return h;
    }
    void steady(int first, int last) {
        for (int i = first; i < last; ++i) arrive(i, 5 + 20 * i);
    }
    const StreamFigures& finish(std::int64_t at_ms) {
        meter_.finish(kAnswerNs + at_ms * kMs);
        return meter_.figures();
    }

    Endpoint peer_ = *Endpoint::numeric("127.0.0.1", 4000);
    Endpoint other_ = *Endpoint::numeric("127.0.0.1", 4002);
    StreamMeter meter_{model::Codec::Pcmu};
    StreamMeter::Judged last_;
};

TEST_F(StreamMeterTest, APerfectStreamHasExactFigures) {
    steady(0, 100);
    const StreamFigures& f = finish(2000);
    EXPECT_EQ(f.received_packets, 100U);
    EXPECT_EQ(f.expected_packets(), 100U);
    EXPECT_DOUBLE_EQ(f.rate_percent(), 100);
    EXPECT_EQ(f.first_rtp_ns, 5 * kMs);
    EXPECT_EQ(f.max_gap_ns, 20 * kMs);
    EXPECT_EQ(f.gaps.count(), 99U);
    EXPECT_EQ(f.gaps.max_deviation_ns(), 0);
    EXPECT_EQ(f.lost_packets + f.duplicate_packets + f.reordered_packets + f.sequence_breaks, 0U);
    EXPECT_EQ(f.timestamp_breaks, 0U);
    EXPECT_EQ(f.ssrcs, 1U);
    EXPECT_FALSE(f.max_gap_is_tail);
}

TEST_F(StreamMeterTest, APauseIsAHoleWithoutMissingNumbers) {
    steady(0, 10);
    for (int i = 10; i < 90; ++i) arrive(i, 5 + 20 * i + 80);
    const StreamFigures& f = finish(1880);
    EXPECT_EQ(f.max_gap_ns, 100 * kMs);
    EXPECT_EQ(f.max_gap_at_ns, 185 * kMs);
    EXPECT_EQ(f.max_gap_missing, 0U);
    EXPECT_EQ(f.received_packets, 90U);
    EXPECT_EQ(f.expected_packets(), 94U);
    EXPECT_EQ(f.surplus_packets(), -3);
    EXPECT_NEAR(f.rate_percent(), 100.0 * 91 / 94, 1e-9);
}

TEST_F(StreamMeterTest, LostNumbersAreCountedAndPlaced) {
    steady(0, 10);
    steady(13, 50);
    EXPECT_EQ(last_.lost_before, 0U);
    const StreamFigures& f = finish(1000);
    EXPECT_EQ(f.lost_packets, 3U);
    EXPECT_EQ(f.max_gap_ns, 80 * kMs);
    EXPECT_EQ(f.max_gap_missing, 3U);
    EXPECT_EQ(f.first_loss_at_ns, 265 * kMs);
    EXPECT_EQ(f.timestamp_breaks, 0U);
}

TEST_F(StreamMeterTest, ReorderedIsNotLostAndADuplicateIsNotReceived) {
    steady(0, 5);
    EXPECT_EQ(arrive(6, 105), StreamMeter::Verdict::Audio);
    EXPECT_EQ(last_.lost_before, 1U);
    EXPECT_EQ(arrive(5, 106), StreamMeter::Verdict::Late);
    EXPECT_EQ(arrive(6, 107), StreamMeter::Verdict::Duplicate);
    EXPECT_EQ(arrive(5, 108), StreamMeter::Verdict::Duplicate);
    steady(7, 50);
    const StreamFigures& f = finish(1000);
    EXPECT_EQ(f.lost_packets, 0U);
    EXPECT_EQ(f.reordered_packets, 1U);
    EXPECT_EQ(f.duplicate_packets, 2U);
    EXPECT_EQ(f.received_packets, 50U);
    EXPECT_EQ(f.timestamp_breaks, 0U);
}

TEST_F(StreamMeterTest, ALatePacketFromBeforeTheFirstIsNoLoss) {
    arrive(1, 5);
    arrive(0, 6);
    EXPECT_EQ(finish(20).lost_packets, 0U);
    EXPECT_EQ(meter_.figures().reordered_packets, 1U);
}

TEST_F(StreamMeterTest, ASecondSsrcIsNamedWithItsTime) {
    steady(0, 10);
    for (int i = 10; i < 50; ++i) {
        rtp::Header h = header(i);
        h.ssrc = 8;
        h.sequence = static_cast<std::uint16_t>(h.sequence + 20000);
        arrive(h, 5 + 20 * i);
        EXPECT_EQ(last_.is_new_source, i == 10);
    }
    const StreamFigures& f = finish(1000);
    EXPECT_EQ(f.ssrcs, 2U);
    EXPECT_EQ(f.second_ssrc_at_ns, 205 * kMs);
    EXPECT_EQ(f.lost_packets, 0U);
    EXPECT_EQ(f.sequence_breaks, 0U);
}

TEST_F(StreamMeterTest, ManySsrcsAreBounded) {
    for (int i = 0; i < 100; ++i) {
        rtp::Header h = header(i);
        h.ssrc = static_cast<std::uint32_t>(i);
        arrive(h, 20 * i);
    }
    EXPECT_EQ(finish(2000).ssrcs, 16U);
}

TEST_F(StreamMeterTest, AJumpBeyondRepairIsABreakNotAThousandLosses) {
    steady(0, 10);
    for (int i = 10; i < 20; ++i) {
        rtp::Header h = header(i);
        h.sequence = static_cast<std::uint16_t>(h.sequence + 9000);
        arrive(h, 5 + 20 * i);
    }
    EXPECT_EQ(finish(400).sequence_breaks, 1U);
    EXPECT_EQ(meter_.figures().lost_packets, 0U);
}

TEST_F(StreamMeterTest, ATimestampOffTheSequenceIsABreak) {
    for (int i = 0; i < 20; ++i) {
        rtp::Header h = header(i);
        if (i >= 10) h.timestamp_rtp += 7;
        arrive(h, 5 + 20 * i);
    }
    EXPECT_EQ(finish(400).timestamp_breaks, 1U);
    EXPECT_EQ(meter_.figures().first_timestamp_break_at_ns, 205 * kMs);
}

TEST_F(StreamMeterTest, DigitsKeepTheSequenceAndNotTheTimestamp) {
    for (int i = 0; i < 30; ++i) {
        rtp::Header h = header(i);
        if (i >= 10 && i < 20) {
            h.payload_type = 101;
            h.timestamp_rtp = header(10).timestamp_rtp;
        }
        EXPECT_EQ(arrive(h, 5 + 20 * i),
                  i >= 10 && i < 20 ? StreamMeter::Verdict::Event : StreamMeter::Verdict::Audio);
    }
    const StreamFigures& f = finish(600);
    EXPECT_EQ(f.event_packets, 10U);
    EXPECT_EQ(f.timestamp_breaks, 0U);
    EXPECT_EQ(f.received_packets, 30U);
}

TEST_F(StreamMeterTest, AStreamThatStopsHasItsTailAsGap) {
    steady(0, 10);
    const StreamFigures& f = finish(1000);
    EXPECT_TRUE(f.max_gap_is_tail);
    EXPECT_EQ(f.max_gap_ns, 815 * kMs);
    EXPECT_EQ(f.max_gap_at_ns, 185 * kMs);
}

TEST_F(StreamMeterTest, WithoutAnyPacketTheGapIsTheCall) {
    const StreamFigures& f = finish(3000);
    EXPECT_EQ(f.first_rtp_ns, -1);
    EXPECT_EQ(f.max_gap_ns, 3000 * kMs);
    EXPECT_DOUBLE_EQ(f.rate_percent(), 0);
}

TEST_F(StreamMeterTest, OnePacketMoreOrLessIsTheEdgeOfTheWindow) {
    steady(0, 99);
    const StreamFigures& f = finish(2000);
    EXPECT_EQ(f.received_packets, 99U);
    EXPECT_DOUBLE_EQ(f.rate_percent(), 100);
}

TEST_F(StreamMeterTest, TooManyPacketsAreReportedAboveHundred) {
    for (int i = 0; i < 200; ++i) arrive(i, 5 + 10 * i);
    EXPECT_NEAR(finish(2000).rate_percent(), 199, 0.001);
}

TEST_F(StreamMeterTest, ForeignPacketsDoNotTouchTheStream) {
    steady(0, 10);
    EXPECT_EQ(arrive_from(header(500), kAnswerNs + 190 * kMs, other_),
              StreamMeter::Verdict::Foreign);
    steady(10, 20);
    const StreamFigures& f = finish(400);
    EXPECT_EQ(f.foreign_packets, 1U);
    EXPECT_EQ(f.first_foreign, other_);
    EXPECT_EQ(f.received_packets, 20U);
    EXPECT_EQ(f.max_gap_ns, 20 * kMs);
}

TEST_F(StreamMeterTest, AnUnexpectedSourceIsTakenWhenNothingElseCame) {
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(arrive_from(header(i), kAnswerNs + (5 + 20 * i) * kMs, other_),
                  StreamMeter::Verdict::Audio);
    }
    EXPECT_TRUE(meter_.figures().is_unexpected_source);
    EXPECT_EQ(finish(200).received_packets, 10U);
}

TEST_F(StreamMeterTest, RtcpAndNoiseAreCountedApart) {
    const std::array<std::uint8_t, 8> receiver_report{0x80, 201, 0, 1, 0, 0, 0, 1};
    EXPECT_EQ(meter_.packet(receiver_report, peer_, kAnswerNs).verdict, StreamMeter::Verdict::Rtcp);
    const std::array<std::uint8_t, 3> noise{1, 2, 3};
    EXPECT_EQ(meter_.packet(noise, peer_, kAnswerNs).verdict, StreamMeter::Verdict::Malformed);
    EXPECT_EQ(meter_.packet({}, peer_, kAnswerNs).verdict, StreamMeter::Verdict::Malformed);
    EXPECT_EQ(meter_.figures().rtcp_packets, 1U);
    EXPECT_EQ(meter_.figures().malformed_packets, 2U);
}

TEST_F(StreamMeterTest, NothingCountsAfterTheEnd) {
    steady(0, 10);
    finish(200);
    EXPECT_EQ(arrive(10, 205), StreamMeter::Verdict::AfterEnd);
    meter_.finish(kAnswerNs + 900 * kMs);
    EXPECT_EQ(meter_.figures().listened_ns, 200 * kMs);
    EXPECT_EQ(meter_.figures().received_packets, 10U);
}

TEST(StreamMeterEarlyTest, AStreamBeforeTheAnswerIsNotCountedAsAnswered) {
    const Endpoint peer = *Endpoint::numeric("127.0.0.1", 4000);
    StreamMeter meter(model::Codec::Opus);
    std::array<std::uint8_t, 40> packet{};
    const auto arrive = [&](int index, std::int64_t at_ns) {
        rtp::Header h;
        h.payload_type = 96;
        h.sequence = static_cast<std::uint16_t>(index);
        h.timestamp_rtp = static_cast<std::uint32_t>(index) * 960;
        rtp::write_header(h, std::span(packet).first<rtp::kHeaderBytes>());
        meter.packet(packet, peer, at_ns);
    };
    for (int i = 0; i < 10; ++i) arrive(i, i * 20 * kMs);
    meter.answered(190 * kMs, peer, 96, std::nullopt);
    EXPECT_EQ(meter.figures().first_rtp_ns, 0);
    for (int i = 10; i < 20; ++i) arrive(i, i * 20 * kMs);
    meter.finish(390 * kMs);
    EXPECT_EQ(meter.figures().early_packets, 10U);
    EXPECT_EQ(meter.figures().received_packets, 10U);
    EXPECT_EQ(meter.figures().max_gap_ns, 20 * kMs);
    EXPECT_EQ(meter.figures().timestamp_breaks, 0U);
}

TEST(StreamMeterEarlyTest, APacketReadBeforeTheAnswerButArrivedAfterItIsTheFirst) {
    const Endpoint peer = *Endpoint::numeric("127.0.0.1", 4000);
    StreamMeter meter(model::Codec::Pcmu);
    std::array<std::uint8_t, 172> packet{};
    rtp::write_header({}, std::span(packet).first<rtp::kHeaderBytes>());
    meter.packet(packet, peer, 101 * kMs);
    meter.answered(100 * kMs, peer, 0, std::nullopt);
    EXPECT_EQ(meter.figures().early_packets, 0U);
    EXPECT_EQ(meter.figures().received_packets, 1U);
    EXPECT_EQ(meter.figures().first_rtp_ns, 1 * kMs);
}

}  // namespace
}  // namespace offhook::caller
