// A peer that moves in the middle of a call: by signalling, behind its NAT, without a word; and RTCP
// that moves onto the RTP port and off it again (RFC 5761 §5.1.1).

#include <gtest/gtest.h>

#include "harness/call_test.h"
#include "harness/g711.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

class MovesTest : public CallTest {
protected:
    /// A call from `end`, which has been heard.
    void call_from(RtpEnd& end) {
        start();
        caller_ = std::make_unique<OwnCaller>("127.0.0.1", daemon_->sip_port());
        offer_.port = end.port();
        ASSERT_EQ(caller_->invite(offer_), 200);
        end.set_peer(caller_->answer_port());
        talk(end, 500);
        ASSERT_GT(end.stream().packets().size(), 15U);
    }
    /// Sends silence from `end`, one stream wherever it comes from, and takes what comes.
    void talk(RtpEnd& end, int ms) {
        end.set_peer(caller_->answer_port());
        const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(ms) * 8, 0xFF);
        const auto packets = packets_of(bytes, 20, 0, 0, sequence_, timestamp_);
        sequence_ = static_cast<std::uint16_t>(sequence_ + packets.size());
        timestamp_ += static_cast<std::uint32_t>(bytes.size());
        end.exchange(packets, milliseconds(ms));
    }
    int reinvite() {
        ++offer_.version;
        return caller_->invite(offer_);
    }
    /// One stream, unbroken, over both places.
    static void expect_one_stream(const RtpEnd& first, const RtpEnd& second) {
        std::vector<RtpPacket> all = first.stream().packets();
        const std::vector<RtpPacket> later = second.stream().packets();
        ASSERT_FALSE(later.empty());
        EXPECT_EQ(all.back().ssrc, later.front().ssrc);
        EXPECT_EQ(static_cast<std::uint16_t>(all.back().sequence + 1), later.front().sequence);
        EXPECT_EQ(all.back().timestamp + 160, later.front().timestamp);
    }

    std::unique_ptr<OwnCaller> caller_;
    OwnCaller::Offer offer_;
    std::uint16_t sequence_ = 100;
    std::uint32_t timestamp_ = 16000;
};

TEST_F(MovesTest, AReinviteWithANewPortMovesTheSoundAtOnce) {
    RtpEnd first("127.0.0.1");
    RtpEnd second("127.0.0.1");
    call_from(first);
    offer_.port = second.port();
    ASSERT_EQ(reinvite(), 200);
    // What was on the way from the old place does not pull it back.
    talk(first, 200);
    first.forget();
    talk(second, 500);
    EXPECT_GT(second.stream().packets().size(), 20U);
    EXPECT_TRUE(second.stream().judge().sequence_breaks == 0);
    talk(first, 300);
    EXPECT_TRUE(first.stream().is_empty()) << "still sent to where the peer was";
    EXPECT_TRUE(second.wait_rtp(5, seconds(2)));
    EXPECT_EQ(caller_->bye(), 200);
}

TEST_F(MovesTest, AReinviteWithANewPortContinuesTheStream) {
    RtpEnd first("127.0.0.1");
    RtpEnd second("127.0.0.1");
    call_from(first);
    offer_.port = second.port();
    ASSERT_EQ(reinvite(), 200);
    first.exchange({}, milliseconds(100));
    talk(second, 300);
    expect_one_stream(first, second);
    EXPECT_EQ(caller_->bye(), 200);
}

TEST_F(MovesTest, AReinviteWithTheSameAddressFollowsANewNatBinding) {
    RtpEnd first("127.0.0.1");
    RtpEnd second("127.0.0.1");
    call_from(first);
    ASSERT_EQ(reinvite(), 200);
    talk(second, 1000);
    EXPECT_GT(second.stream().packets().size(), 25U) << "within half a second";
    EXPECT_EQ(caller_->bye(), 200);
}

TEST_F(MovesTest, WithoutSignallingANewSourceIsFollowedAfterSilenceOnly) {
    RtpEnd first("127.0.0.1");
    RtpEnd second("127.0.0.1");
    call_from(first);
    talk(second, 2000);
    EXPECT_TRUE(second.stream().is_empty()) << "2 s of silence are not enough to be led away";
    talk(second, 2000);
    EXPECT_GT(second.stream().packets().size(), 20U);
    EXPECT_EQ(caller_->bye(), 200);
}

// The sockets are of one IP version: what cannot be reached changes nothing (RFC 3261 §14.2).
TEST_F(MovesTest, AReinviteToTheOtherIpVersionIsRefusedAndTheCallGoesOn) {
    RtpEnd end("127.0.0.1");
    call_from(end);
    const OwnCaller::Offer before = offer_;
    offer_.host = "::1";
    EXPECT_EQ(reinvite(), 488);
    EXPECT_TRUE(end.wait_rtp(20, seconds(2)));
    offer_.host = before.host;
    EXPECT_EQ(reinvite(), 200);
    EXPECT_TRUE(end.wait_rtp(20, seconds(2)));
    EXPECT_EQ(caller_->bye(), 200);
}

TEST_F(MovesTest, NobodyIsLedAwayWhileThePeerTalks) {
    RtpEnd peer("127.0.0.1");
    RtpEnd stranger("127.0.0.1");
    call_from(peer);
    ASSERT_EQ(reinvite(), 200);
    stranger.set_peer(caller_->answer_port());
    for (int round = 0; round < 50; ++round) {
        talk(peer, 40);
        stranger.exchange(packets_of(std::vector<std::uint8_t>(480, 0xFF),
                                     20,
                                     0,
                                     0,
                                     static_cast<std::uint16_t>(round * 3),
                                     static_cast<std::uint32_t>(round) * 480),
                          milliseconds(0));
    }
    EXPECT_TRUE(stranger.stream().is_empty());
    EXPECT_EQ(caller_->bye(), 200);
}

TEST_F(MovesTest, RtcpMovesOntoTheRtpPortAndOffItAgain) {
    RtpEnd end("127.0.0.1");
    start();
    caller_ = std::make_unique<OwnCaller>("127.0.0.1", daemon_->sip_port());
    offer_.port = end.port();
    const std::vector<std::string> plain = offer_.attributes;
    std::vector<std::string> muxed = plain;
    muxed.push_back("rtcp-mux");
    offer_.attributes = muxed;
    ASSERT_EQ(caller_->invite(offer_), 200);
    EXPECT_TRUE(caller_->answer_has("a=rtcp-mux")) << caller_->answer();
    end.set_peer(caller_->answer_port());
    EXPECT_TRUE(end.wait_rtcp(true, seconds(10)));
    offer_.attributes = plain;
    ASSERT_EQ(reinvite(), 200);
    EXPECT_FALSE(caller_->answer_has("a=rtcp-mux")) << caller_->answer();
    EXPECT_TRUE(end.wait_rtcp(false, seconds(10)));
    offer_.attributes = muxed;
    ASSERT_EQ(reinvite(), 200);
    EXPECT_TRUE(caller_->answer_has("a=rtcp-mux")) << caller_->answer();
    EXPECT_TRUE(end.wait_rtcp(true, seconds(10)));
    EXPECT_EQ(caller_->bye(), 200);
}

}  // namespace
}  // namespace offhook::harness
