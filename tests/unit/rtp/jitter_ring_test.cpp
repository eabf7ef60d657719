#include "rtp/jitter_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "base/monotonic.h"

namespace offhook::rtp {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using Verdict = JitterRing::Verdict;
using Kind = JitterRing::Item::Kind;

constexpr std::int64_t ms(std::int64_t n) {
    return n * kNsPerMs;
}

/// A ring with a worker around it: packets of 20 ms at 8 kHz, the payload carries the sequence
/// number.
class Ring : public testing::Test {
protected:
    JitterRing ring_{8000};
    std::int64_t now_ = 1000 * kNsPerS;
    std::uint16_t base_seq_ = 65'530;
    std::uint32_t base_rtp_ = 0xFFFFFE00;
    std::vector<int> out_;  ///< numbers played; -n for n packets lost
    std::uint32_t lost_rtp_ = 0;
    bool restarted_ = false;

    /// Packet `n` of the stream, at its own time unless `rtp` says otherwise.
    Verdict arrive(int n, std::int64_t rtp = -1, std::uint8_t payload_type = 0) {
        payload_ = {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)};
        PacketView packet;
        packet.payload_type = payload_type;
        packet.sequence = static_cast<std::uint16_t>(base_seq_ + n);
        packet.timestamp_rtp = base_rtp_ + static_cast<std::uint32_t>(rtp >= 0 ? rtp : 160 * n);
        packet.payload = payload_;
        const JitterRing::Arrival arrival = ring_.arrive(packet, now_);
        restarted_ = arrival.restarted;
        if (arrival.verdict == Verdict::PlayNow) out_.push_back(n);
        payload_ = {0xEE, 0xEE};  // the datagram is gone
        drain();
        return arrival.verdict;
    }
    void drain() {
        while (const auto item = ring_.next(now_)) {
            if (item->kind == Kind::Lost) {
                out_.push_back(-static_cast<int>(item->lost_packets));
                lost_rtp_ += item->duration_rtp;
            } else {
                ASSERT_EQ(item->packet.payload.size(), 2U);
                out_.push_back(item->packet.payload[0] | item->packet.payload[1] << 8);
            }
        }
    }
    void wait(std::int64_t duration_ms) {
        now_ += ms(duration_ms);
        drain();
    }
    /// `count` packets in order and in time from `n` on.
    void stream(int n, int count) {
        for (int i = 0; i < count; ++i) {
            arrive(n + i);
            wait(20);
        }
    }

    /// Packet `n`, expected now, comes 23 ms late and 3 ms behind its successor.
    void swap(int n) {
        now_ += ms(20);
        EXPECT_EQ(arrive(n + 1), Verdict::Held);
        now_ += ms(3);
        arrive(n);
    }

private:
    std::array<std::uint8_t, 2> payload_{};
};

using Numbers = std::vector<int>;

TEST_F(Ring, InOrderIsPlayedAtOnceAndWraps) {
    for (int n = 0; n < 20; ++n) {
        EXPECT_EQ(arrive(n), Verdict::PlayNow);
        wait(20);
    }
    EXPECT_EQ(out_.size(), 20U);
    EXPECT_EQ(ring_.target_ns(), 0);
}

TEST_F(Ring, InOrderButJitteryIsStillPlayedAtOnce) {
    std::mt19937 random(1);
    const std::int64_t start = now_;
    for (int n = 0; n < 500; ++n) {
        now_ = std::max(now_, start + ms(20 * n + static_cast<int>(random() % 60)));
        ASSERT_EQ(arrive(n), Verdict::PlayNow);
    }
    EXPECT_EQ(ring_.target_ns(), 0);
}

TEST_F(Ring, GapWaitsOnePacketTimeThenIsLost) {
    stream(0, 3);
    now_ += ms(20);  // 3 is lost
    EXPECT_EQ(arrive(4), Verdict::Held);
    wait(15);
    EXPECT_EQ(out_, (Numbers{0, 1, 2}));
    wait(5);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4}));
    EXPECT_EQ(lost_rtp_, 160U);
    EXPECT_EQ(arrive(5), Verdict::PlayNow);
    EXPECT_EQ(ring_.target_ns(), 0);  // loss is no reason to wait longer
}

TEST_F(Ring, SwapIsPutRightAndRaisesTheTarget) {
    stream(0, 3);
    swap(3);
    EXPECT_EQ(out_, (Numbers{0, 1, 2}));  // both now wait until they are due: 23 ms is two steps
    EXPECT_EQ(ring_.target_ns(), ms(40));
    wait(17);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, 3}));
    wait(20);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, 3, 4}));
    EXPECT_EQ(lost_rtp_, 0U);
}

TEST_F(Ring, LatePacketRaisesTheTargetToWhatItNeeded) {
    stream(0, 3);  // 3 is expected now, comes 50 ms late
    now_ += ms(20);
    arrive(4);
    now_ += ms(20);
    arrive(5);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4, 5}));
    now_ += ms(10);
    EXPECT_EQ(arrive(3), Verdict::Late);
    EXPECT_EQ(ring_.target_ns(), ms(60));
    EXPECT_EQ(arrive(3), Verdict::Duplicate);
    now_ += ms(10);
    // From here on the same lateness is no loss.
    EXPECT_EQ(arrive(6), Verdict::Held);
    wait(40);  // 8 in time, 7 is 50 ms late
    EXPECT_EQ(arrive(8), Verdict::Held);
    wait(30);
    EXPECT_EQ(arrive(7), Verdict::Held);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4, 5, 6}));
    wait(10);
    EXPECT_EQ(out_.back(), 7);
    wait(20);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4, 5, 6, 7, 8}));
}

TEST_F(Ring, LossWithATargetIsReportedWhenTheSuccessorIsDue) {
    stream(0, 3);
    swap(3);
    wait(17);
    arrive(5);
    wait(40);  // 6 is lost
    arrive(7);
    wait(39);
    EXPECT_EQ(out_.back(), 5);
    wait(1);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, 3, 4, 5, -1, 7}));
}

TEST_F(Ring, TargetFallsAfterQuietTime) {
    stream(0, 3);
    swap(3);
    wait(17);
    ASSERT_EQ(ring_.target_ns(), ms(40));
    stream(5, 490);
    EXPECT_EQ(ring_.target_ns(), ms(40));
    stream(495, 20);
    EXPECT_EQ(ring_.target_ns(), ms(20));
    stream(515, 500);
    EXPECT_EQ(ring_.target_ns(), 0);
    EXPECT_EQ(arrive(1015), Verdict::PlayNow);
    EXPECT_TRUE(std::is_sorted(out_.begin(), out_.end()));
    EXPECT_EQ(out_.size(), 1016U);
}

TEST_F(Ring, TargetNeverBeyond80Ms) {
    stream(0, 3);
    for (int n = 4; n < 200; n += 2) {
        arrive(n);
        now_ += ms(40);
        arrive(n - 5 > 2 ? n - 5 : n);  // 100 ms late each
    }
    EXPECT_EQ(ring_.target_ns(), ms(80));
}

TEST_F(Ring, Duplicates) {
    stream(0, 3);
    EXPECT_EQ(arrive(2), Verdict::Duplicate);
    EXPECT_EQ(arrive(0), Verdict::Duplicate);
    EXPECT_EQ(arrive(4), Verdict::Held);
    EXPECT_EQ(arrive(4), Verdict::Duplicate);
    wait(20);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4}));
    EXPECT_EQ(ring_.target_ns(), 0);
}

TEST_F(Ring, TalkspurtIsNotLoss) {
    stream(0, 3);
    wait(2000);
    EXPECT_EQ(arrive(3, 160 * 103), Verdict::PlayNow);
    EXPECT_FALSE(restarted_);
    wait(7000);
    EXPECT_EQ(arrive(4, 160 * 453),
              Verdict::PlayNow);  // longer than a jump, but as long as the clock says
    EXPECT_FALSE(restarted_);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, 3, 4}));
}

TEST_F(Ring, LossAtTheStartOfATalkspurtCountsPacketsNotSilence) {
    stream(0, 3);
    wait(2000);
    arrive(4, 160 * 104);  // 3 began it and is lost
    wait(20);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, -1, 4}));
    EXPECT_EQ(lost_rtp_, 160U);
}

TEST_F(Ring, SequenceJumpRestarts) {
    stream(0, 3);
    arrive(4);
    EXPECT_EQ(arrive(200), Verdict::PlayNow);
    EXPECT_TRUE(restarted_);
    EXPECT_EQ(arrive(201), Verdict::PlayNow);
    EXPECT_FALSE(restarted_);
    wait(1000);
    EXPECT_EQ(out_, (Numbers{0, 1, 2, 200, 201}));  // what was held belonged to the time before
}

TEST_F(Ring, TimestampJumpRestarts) {
    stream(0, 3);
    EXPECT_EQ(arrive(3, 160 * 3 + 8000 * 4), Verdict::PlayNow);
    EXPECT_TRUE(restarted_);
    now_ += ms(20);
    EXPECT_EQ(arrive(4, 160 * 4 + 8000 * 4), Verdict::PlayNow);
    EXPECT_FALSE(restarted_);
}

TEST_F(Ring, SmallTimestampJumpWithTargetAddsNoDelay) {
    stream(0, 3);
    swap(3);
    wait(17);
    ASSERT_EQ(ring_.target_ns(), ms(40));
    // The sender's timestamps leap a second ahead without time passing: due no later than target
    // after arrival.
    EXPECT_EQ(arrive(5, 160 * 5 + 8000), Verdict::Held);
    wait(40);
    EXPECT_EQ(out_.back(), 5);
    // And a pause without timestamps passing.
    wait(1000);
    arrive(6, 160 * 6 + 8000);
    wait(40);
    EXPECT_EQ(out_.back(), 6);
}

TEST_F(Ring, KeyPressOfSharedTimestampsIsNoJump) {
    stream(0, 3);
    int n = 3;
    for (; n < 3 + 250; ++n) {  // five seconds on one key
        EXPECT_EQ(arrive(n, 160 * 3, 101), Verdict::PlayNow);
        EXPECT_FALSE(restarted_);
        wait(20);
    }
    EXPECT_EQ(arrive(n), Verdict::PlayNow);
    EXPECT_FALSE(restarted_);
    // A lost one among them is no time missing.
    EXPECT_EQ(arrive(n + 2, 160 * n, 101), Verdict::Held);
    wait(20);
    EXPECT_EQ(out_.back(), n + 2);
    EXPECT_EQ(lost_rtp_, 0U);
}

TEST_F(Ring, OtherPacketTimes) {
    for (const int ptime : {10, 30, 40, 60}) {
        ring_.reset();
        out_.clear();
        lost_rtp_ = 0;
        const auto rtp = [ptime](int n) { return std::int64_t{8} * ptime * n; };
        for (int n = 0; n < 5; ++n) {
            arrive(n, rtp(n));
            now_ += ms(ptime);
        }
        arrive(7, rtp(7));  // 5 and 6 missing
        now_ += ms(ptime) * 3 / 4;
        drain();
        EXPECT_EQ(out_, (Numbers{0, 1, 2, 3, 4})) << ptime;
        now_ += ms(ptime) / 4;
        drain();
        EXPECT_EQ(out_, (Numbers{0, 1, 2, 3, 4, -2, 7})) << ptime;
        EXPECT_EQ(lost_rtp_, static_cast<std::uint32_t>(rtp(2))) << ptime;
    }
}

TEST_F(Ring, FullRingLetsGoAtOnce) {
    stream(0, 3);
    for (int n = 4; n < 80; ++n) arrive(n);  // a flood, all in one tick, behind one lost packet
    EXPECT_EQ(out_.size(), 3U + 1 + 76);
    EXPECT_EQ(out_[3], -1);
    EXPECT_EQ(out_.back(), 79);
}

TEST_F(Ring, SenderClockDriftAddsNoDelay) {
    for (const int drift_us : {+20, -20}) {  // 1000 ppm: five times what is seen
        ring_.reset();
        stream(0, 3);
        swap(3);
        wait(17);
        ASSERT_EQ(ring_.target_ns(), ms(40));
        for (int n = 5; n < 480; ++n) {
            const std::int64_t came = now_;
            std::int64_t waited = 0;
            arrive(n);
            while (out_.back() != n) {
                wait(1);
                waited += 1;
                ASSERT_LE(waited, 41);
            }
            ASSERT_GE(waited, 30) << "the target shrank away: " << n;
            now_ = came + ms(20) + drift_us * base::kNsPerUs;
        }
    }
}

TEST_F(Ring, OversizedPayloadIsRefused) {
    const std::vector<std::uint8_t> big(1501);
    PacketView packet;
    packet.payload = big;
    EXPECT_EQ(ring_.arrive(packet, now_).verdict, Verdict::Late);
}

TEST(RingSize, StateIsSmall) {
    EXPECT_LE(sizeof(JitterRing), 192U);
}

// Any mixture of loss, reordering, duplication and jitter: order, at most once, bounded delay,
// nothing kept.
TEST(RingProperty, RandomNetworks) {
    for (unsigned seed = 0; seed < 400; ++seed) {
        std::mt19937 engine(seed);
        const auto random = [&engine] { return static_cast<unsigned>(engine()); };
        const auto chance = [&random](unsigned per_mille) { return random() % 1000 < per_mille; };
        const unsigned loss = random() % 200;
        const unsigned duplicate = random() % 100;
        const unsigned jitter_ms = random() % 120;
        const unsigned straggler = random() % 50;
        constexpr std::array kPtimes{10, 20, 30, 40, 60};
        const int ptime = kPtimes[random() % kPtimes.size()];
        const auto first_seq = static_cast<std::uint16_t>(random());
        const auto first_rtp = static_cast<std::uint32_t>(random());

        constexpr int kPackets = 600;
        std::multimap<std::int64_t, int> arrivals;
        for (int n = 0; n < kPackets; ++n) {
            if (chance(loss)) continue;
            std::int64_t at = ms(ptime) * n + ms(jitter_ms ? random() % jitter_ms : 0U);
            if (chance(straggler)) at += ms(random() % 300);
            arrivals.emplace(at, n);
            if (chance(duplicate)) arrivals.emplace(at + ms(random() % 50), n);
        }

        JitterRing ring(8000);
        std::map<int, std::int64_t> came;
        std::vector<int> played;
        std::int64_t longest = 0;
        const auto play = [&](int n, std::int64_t now) {
            ASSERT_TRUE(played.empty() || played.back() < n) << "seed " << seed;
            played.push_back(n);
            longest = std::max(longest, now - came.at(n));
        };
        const auto drain = [&](std::int64_t now) {
            while (const auto item = ring.next(now)) {
                if (item->kind == Kind::Packet) {
                    play(static_cast<std::uint16_t>(item->packet.sequence - first_seq), now);
                } else {
                    ASSERT_GE(item->lost_packets, 1U);
                    ASSERT_LE(item->duration_rtp, item->lost_packets * 480);
                }
            }
        };
        auto next_arrival = arrivals.begin();
        int held = 0;
        for (std::int64_t now = 0; now < ms(ptime) * kPackets + kNsPerS; now += ms(1)) {
            for (; next_arrival != arrivals.end() && next_arrival->first <= now; ++next_arrival) {
                const int n = next_arrival->second;
                PacketView packet;
                packet.sequence = static_cast<std::uint16_t>(first_seq + n);
                packet.timestamp_rtp = first_rtp + static_cast<std::uint32_t>(8 * ptime * n);
                const auto arrival = ring.arrive(packet, now);
                EXPECT_FALSE(arrival.restarted);
                if (arrival.verdict == Verdict::PlayNow || arrival.verdict == Verdict::Held)
                    came.emplace(n, now);
                if (arrival.verdict == Verdict::Held) ++held;
                if (arrival.verdict == Verdict::PlayNow) play(n, now);
                drain(now);
            }
            drain(now);
            if (HasFatalFailure()) return;
        }
        ASSERT_EQ(played.size(), came.size()) << "kept for ever, seed " << seed;
        ASSERT_LE(longest, ms(80 + ptime)) << "seed " << seed;
        ASSERT_LE(ring.target_ns(), ms(80));
        if (jitter_ms > 70) {
            ASSERT_GT(held, 0);
        }
    }
}

}  // namespace
}  // namespace offhook::rtp
