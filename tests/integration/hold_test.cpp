// Hold (RFC 3264 §8.4): a peer that asks for nothing gets nothing, the clock runs on, and resume is
// contiguous.

#include <gtest/gtest.h>

#include <cmath>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class HoldTest : public CallTest {
protected:
    /// 2 s of call, 2 s of hold, 2 s of call.
    void hold_and_resume(const std::string& direction, const std::string& answer) {
        start_capture();
        Scenario::Media held;
        held.direction = direction;
        held.version = 2;
        Scenario::Media resumed;
        resumed.version = 3;
        Scenario scenario = answered();
        scenario.pause(seconds(2))
            .reinvite(held)
            .may_receive(100)
            .receive_matching(200, "a=" + answer)
            .ack();
        scenario.pause(seconds(2))
            .reinvite(resumed)
            .may_receive(100)
            .receive_matching(200, "a=sendrecv")
            .ack();
        scenario.pause(seconds(2)).bye().receive(200);
        Sipp sipp(folder_, daemon_->sip_port(), scenario);
        EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    }

    /// The two halves around the longest gap.
    void expect_silent_hold() {
        const RtpStream sent = outbound();
        const std::vector<RtpPacket>& packets = sent.packets();
        ASSERT_GT(packets.size(), 150U);
        std::size_t after = 1;
        for (std::size_t index = 1; index < packets.size(); ++index) {
            if (packets[index].at_s - packets[index - 1].at_s >
                packets[after].at_s - packets[after - 1].at_s) {
                after = index;
            }
        }
        const RtpPacket& last = packets[after - 1];
        const RtpPacket& first = packets[after];
        const double gap_s = first.at_s - last.at_s;
        EXPECT_NEAR(gap_s, 2, 0.15);
        EXPECT_EQ(first.sequence, static_cast<std::uint16_t>(last.sequence + 1));
        // The clock ran on: to a packet time or two, what was sent by RTP time is what passed.
        EXPECT_NEAR(double(first.timestamp - last.timestamp) / 8000, gap_s, 0.045);
        EXPECT_EQ((first.timestamp - last.timestamp) % 160, 0U);
        EXPECT_EQ(first.ssrc, last.ssrc);
        const RtpStream before_hold(std::vector<RtpPacket>(
            packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(after)));
        const RtpStream after_hold(std::vector<RtpPacket>(
            packets.begin() + static_cast<std::ptrdiff_t>(after), packets.end()));
        EXPECT_TRUE(keeps_promise(before_hold.judge()));
        EXPECT_TRUE(keeps_promise(after_hold.judge()));
    }
};

TEST_F(HoldTest, SendonlyPeerGetsNothing) {
    start();
    hold_and_resume("sendonly", "recvonly");
    expect_silent_hold();
}

TEST_F(HoldTest, InactivePeerGetsNothing) {
    start();
    hold_and_resume("inactive", "inactive");
    expect_silent_hold();
}

TEST_F(HoldTest, KeepSendsFillerAllTheSame) {
    Daemon::Options options;
    options.rtp = "hold_media = \"keep\"\n";
    start(options);
    hold_and_resume("sendonly", "(recvonly|sendrecv)");
    const RtpVerdict verdict = outbound().judge();
    EXPECT_TRUE(keeps_promise(verdict));
    EXPECT_NEAR(double(verdict.packets), 300, 8);
}

// Hold as of RFC 2543, still in use: the connection address is 0.0.0.0 (RFC 3264 §8.4).
TEST_F(HoldTest, UnspecifiedAddressGetsNothing) {
    start();
    start_capture();
    Scenario::Media held;
    held.version = 2;
    held.address = "0.0.0.0";
    Scenario scenario = answered();
    scenario.pause(seconds(1)).reinvite(held).may_receive(100).receive(200).ack();
    scenario.pause(seconds(1));
    Scenario::Media resumed;
    resumed.version = 3;
    scenario.reinvite(resumed)
        .may_receive(100)
        .receive(200)
        .ack()
        .pause(seconds(1))
        .bye()
        .receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpVerdict verdict = outbound().judge();
    EXPECT_EQ(verdict.ssrcs, 1U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_NEAR(verdict.longest_gap_ms, 1000, 150);
}

}  // namespace
}  // namespace offhook::harness
