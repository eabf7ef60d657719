#include "rtp/rtcp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "base/monotonic.h"

namespace offhook::rtp {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kUs = 0x11223344;
constexpr std::uint32_t kThem = 0xAABBCCDD;

Bytes report(const std::optional<SenderInfo>& sender,
             bool with_block,
             bool bye,
             std::string_view cname = "a@b") {
    Bytes out(512);
    out.resize(write_report(kUs,
                            sender,
                            with_block ? std::optional(kThem) : std::nullopt,
                            {.fraction_lost = 0x40,
                             .cumulative_lost = -2,
                             .extended_highest = 0x00010005,
                             .jitter_rtp = 33},
                            {.middle_ntp = 0xCAFEF00D, .arrived_ns = 10 * kNsPerS},
                            cname,
                            bye,
                            11 * kNsPerS + 500 * kNsPerMs,
                            out));
    return out;
}

constexpr SenderInfo kInfo{
    .ntp = 0x0102030405060708, .timestamp_rtp = 0xA0, .packets = 7, .payload_bytes = 1120};

// Put together by hand from RFC 3550 §6.4.1, §6.5, §6.6; read once with tshark's dissector as well.
TEST(Rtcp, SenderReportByteForByte) {
    EXPECT_EQ(
        report(kInfo, true, true),
        (Bytes{0x81, 200,  0x00, 0x0C, 0x11, 0x22, 0x33, 0x44,  // SR, one block, 13 words
               0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,  // NTP
               0x00, 0x00, 0x00, 0xA0, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x04,
               0x60, 0xAA, 0xBB, 0xCC, 0xDD, 0x40, 0xFF, 0xFF, 0xFE,  // block: fraction, lost -2
               0x00, 0x01, 0x00, 0x05, 0x00, 0x00, 0x00, 0x21, 0xCA, 0xFE, 0xF0,
               0x0D, 0x00, 0x01, 0x80, 0x00,                    // LSR, DLSR 1.5 s
               0x81, 202,  0x00, 0x03, 0x11, 0x22, 0x33, 0x44,  // SDES
               0x01, 0x03, 'a',  '@',  'b',  0x00, 0x00, 0x00, 0x81, 203,  0x00,
               0x01, 0x11, 0x22, 0x33, 0x44}));
}

TEST(Rtcp, ReceiverReportWithoutAnythingHeard) {
    EXPECT_EQ(report(std::nullopt, false, false, "ab"),
              (Bytes{0x80, 201,  0x00, 0x01, 0x11, 0x22, 0x33, 0x44, 0x81, 202,  0x00, 0x03,
                     0x11, 0x22, 0x33, 0x44, 0x01, 0x02, 'a',  'b',  0x00, 0x00, 0x00, 0x00}));
}

TEST(Rtcp, ReadsItselfBack) {
    for (const std::string& cname :
         {std::string(), std::string("abc"), std::string("abcd"), std::string(300, 'x')}) {
        const Bytes bytes = report(kInfo, true, true, cname);
        ASSERT_EQ(bytes.size() % 4, 0U);
        const auto news = parse_rtcp(bytes, kThem);
        ASSERT_TRUE(news);
        EXPECT_EQ(news->sender_ssrc, kUs);
        EXPECT_EQ(news->sr_middle_ntp, 0x03040506U);
        EXPECT_TRUE(news->bye);
        ASSERT_TRUE(news->about_us);
        EXPECT_EQ(news->about_us->fraction_lost, 0x40);
        EXPECT_EQ(news->about_us->cumulative_lost, -2);
        EXPECT_EQ(news->about_us->jitter_rtp, 33U);
        EXPECT_EQ(news->about_us->lsr, 0xCAFEF00DU);
        EXPECT_EQ(news->about_us->dlsr, 0x18000U);
        EXPECT_FALSE(parse_rtcp(bytes, 1)->about_us);
    }
    EXPECT_FALSE(parse_rtcp(report(std::nullopt, true, false), kUs)->sr_middle_ntp);
    EXPECT_FALSE(parse_rtcp(report(std::nullopt, true, false), kUs)->bye);
}

TEST(Rtcp, NoRoomIsNoReport) {
    const std::size_t bytes = report(kInfo, true, true).size();
    for (std::size_t room = 0; room < bytes; ++room) {
        Bytes out(room);
        ASSERT_EQ(write_report(kUs, kInfo, kThem, {}, {}, "a@b", true, 0, out), 0U);
    }
}

TEST(Rtcp, LiesAreRefused) {
    const Bytes good = report(kInfo, true, true);
    EXPECT_FALSE(parse_rtcp({}, kUs));
    for (std::size_t cut = 1; cut < good.size(); ++cut) {
        // A cut at a packet's border is a shorter compound, any other is a lie.
        const bool is_border = cut == 52 || cut == 68;
        EXPECT_EQ(parse_rtcp(std::span(good).first(cut), kUs).has_value(), is_border) << cut;
    }
    Bytes changed = good;
    changed.at(0) = 0x82;  // two blocks, one there
    EXPECT_FALSE(parse_rtcp(changed, kUs));
    changed = good;
    changed.at(0) |= 0x20;  // padding on the first
    EXPECT_FALSE(parse_rtcp(changed, kUs));
    EXPECT_FALSE(
        parse_rtcp(Bytes(good.begin() + 52, good.end()), kUs));  // does not begin with a report
    changed = good;
    changed.at(68) = 0xA1;  // padding of the BYE, whose last byte then says 0x44
    EXPECT_FALSE(parse_rtcp(changed, kUs));
}

TEST(Rtcp, MutationsStayInsideTheDatagram) {
    std::mt19937 random(815);
    const Bytes good = report(kInfo, true, true);
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        Bytes bytes = good;
        if (random() % 4 == 0) bytes.resize(random() % (good.size() + 1));
        for (auto flips = random() % 4; flips > 0 && !bytes.empty(); --flips) {
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        }
        const Bytes exact(bytes);
        if (parse_rtcp(exact, kThem)) ++accepted;
    }
    EXPECT_GT(accepted, 5'000);
    EXPECT_LT(accepted, 45'000);
}

// RFC 3550 A.3 worked by hand: 10 expected in the first interval, 2 of them lost; then 10 more,
// none lost.
TEST(ReceptionStats, LossByHand) {
    ReceptionStats stats(8000);
    EXPECT_FALSE(stats.any());
    std::uint32_t rtp = 0;
    const auto feed = [&](int from, int to, int except = -1, int and_except = -1) {
        for (int n = from; n < to; ++n) {
            rtp += 160;
            if (n == except || n == and_except) continue;
            stats.received(
                static_cast<std::uint16_t>(65'530 + n), rtp, std::int64_t{n} * 20 * kNsPerMs);
        }
    };
    feed(0, 10, 3, 7);
    auto block = stats.take_block();
    EXPECT_EQ(block.cumulative_lost, 2);
    EXPECT_EQ(block.fraction_lost, 2 * 256 / 10);
    EXPECT_EQ(block.extended_highest, 65'539U);  // one wrap: 0x10003
    EXPECT_EQ(block.jitter_rtp, 0U);
    feed(10, 20);
    block = stats.take_block();
    EXPECT_EQ(block.cumulative_lost, 2);
    EXPECT_EQ(block.fraction_lost, 0);
    // Duplicates make the count negative, never the fraction.
    for (int i = 0; i < 5; ++i) stats.received(static_cast<std::uint16_t>(65'530 + 19), rtp, 0);
    block = stats.take_block();
    EXPECT_EQ(block.cumulative_lost, -3);
    EXPECT_EQ(block.fraction_lost, 0);
    stats.reset();
    EXPECT_FALSE(stats.any());
}

// A.8: every second packet 16 ms late: |D| = 16 ms each time, J -> 16 ms.
TEST(ReceptionStats, JitterByHand) {
    ReceptionStats stats(8000);
    stats.received(0, 0, 0);
    stats.received(1, 160, (20 + 16) * kNsPerMs);
    EXPECT_EQ(stats.jitter_ns(), kNsPerMs);  // 16/16
    stats.received(2, 320, 40 * kNsPerMs);
    EXPECT_EQ(stats.jitter_ns(), kNsPerMs + 15 * kNsPerMs / 16);
    EXPECT_EQ(stats.take_block().jitter_rtp, 15U);  // 1.94 ms
    for (std::uint16_t n = 3; n < 200; ++n) {
        stats.received(n, n * 160U, (n * 20 + (n % 2) * 16) * kNsPerMs);
    }
    EXPECT_NEAR(static_cast<double>(stats.jitter_ns()), 16e6, 1e4);
    // A key press shares its timestamp, a restarted source jumps: neither is jitter.
    const std::int64_t before = stats.jitter_ns();
    for (std::uint16_t n = 0; n < 50; ++n) {
        stats.received(static_cast<std::uint16_t>(200 + n), 199 * 160, (200 + n) * 20 * kNsPerMs);
    }
    stats.received(250, 0x70000000, 250 * 20 * kNsPerMs);
    EXPECT_EQ(stats.jitter_ns(), before);
}

TEST(ReceptionStats, AStrayPacketDoesNotMoveTheCountTwoInARowDo) {
    ReceptionStats stats(8000);
    for (std::uint16_t n = 0; n < 10; ++n) stats.received(n, n * 160U, n * 20 * kNsPerMs);
    stats.received(30'000, 0, 0);
    EXPECT_EQ(stats.take_block().extended_highest, 9U);
    stats.received(40'000, 0, 0);
    stats.received(40'001, 160, 20 * kNsPerMs);
    EXPECT_EQ(stats.take_block().extended_highest, 40'001U);
    EXPECT_EQ(stats.take_block().cumulative_lost, 0);
}

TEST(Rtcp, RoundTrip) {
    // §6.4.1's own figure: A = 0xb7108000... LSR 0xb7052000, DLSR 5.25 s, A 0xb710:8000 -> 6.125 s.
    EXPECT_EQ(round_trip_ns({.lsr = 0xB7052000, .dlsr = 0x00054000}, 0xB7108000), 6'125 * kNsPerMs);
    EXPECT_FALSE(round_trip_ns({.lsr = 0, .dlsr = 5}, 100));
    EXPECT_FALSE(round_trip_ns({.lsr = 0xB7052000, .dlsr = 0x00154000}, 0xB7108000));
    EXPECT_EQ(round_trip_ns({.lsr = 1000, .dlsr = 10}, 1009), 0);
    EXPECT_FALSE(round_trip_ns({.lsr = 0x10000, .dlsr = 0}, 0x10000 + (61 << 16)));
}

TEST(Rtcp, NtpOfRealtime) {
    EXPECT_EQ(ntp_of(0), 0x83AA7E8000000000U);
    EXPECT_EQ(ntp_of(kNsPerS / 2), 0x83AA7E8080000000U);
    EXPECT_EQ(ntp_of(999'999'999) >> 32, 0x83AA7E80U);
}

}  // namespace
}  // namespace offhook::rtp
