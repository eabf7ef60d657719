// The story of a web call in a running daemon, beside its sound: limits, a peer that gets lost, hold
// by us, an offer of another kind.

#include <mutex>
#include <vector>

#include "harness/web_peer_callee.h"
#include "harness/web_peer_sdp.h"
#include "web_call_test.h"

namespace offhook::harness {
namespace {

class WebStoryTest : public WebCallTest {
protected:
    std::string metric(const std::string& name) {
        const std::string text = daemon_->get("/metrics").body;
        const auto at = text.find("\n" + name + " ");
        if (at == std::string::npos) return "none";
        const auto value = at + name.size() + 2;
        return text.substr(value, text.find('\n', value) - value);
    }
};

TEST_F(WebStoryTest, BeyondMaxLegsWebCallsAreRefusedAndPhoneCallsAreNot) {
    start_web("max_legs = 1\n");
    WebPeer first(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(first, Via::Sip, "mute"));
    EXPECT_EQ(metric("offhook_web_legs"), "1");
    WebPeer second(says(tone(8000, 600, 1)));
    OwnCaller web("127.0.0.1", daemon_->sip_port(), "", "mute");
    EXPECT_EQ(web.invite(second.offer()), 503);
    OwnCaller phone("127.0.0.1", daemon_->sip_port(), "", "mute");
    EXPECT_EQ(phone.invite(OwnCaller::Offer{}), 200);
    EXPECT_EQ(phone.bye(), 200);
    hang_up();
    EXPECT_TRUE(eventually(
        seconds(5), &daemon_->process(), [&] { return metric("offhook_web_legs") == "0"; }));
}

TEST_F(WebStoryTest, ALostPeerIsToldWithinFiveSeconds) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    const std::string call = "/api/v1/calls/" + daemon_->only_call();
    EXPECT_EQ(daemon_->json(call).text("leg"), "web");
    EXPECT_EQ(daemon_->json(call).text("srtp"), "DTLS-SRTP");
    EXPECT_GT(daemon_->json(call).number("web.connect_ms"), 0);
    peer.vanish();
    const auto vanished = Clock::now();
    ASSERT_TRUE(daemon_->wait_event("web.lost", seconds(10)));
    EXPECT_LT(Clock::now() - vanished, seconds(5));
    EXPECT_EQ(daemon_->json(call).number("web.losses"), 1);
    EXPECT_EQ(daemon_->json("/health").number("checks.media.web_legs_lost"), 1);
    EXPECT_EQ(metric("offhook_web_legs_lost"), "1");
}

TEST_F(WebStoryTest, ALostPeerIsTheEndAtOnceWhenThePolicySaysSo) {
    start_web("vanish_end_s = 0\n");
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    peer.vanish();
    const auto vanished = Clock::now();
    expect_ended("peer-vanished");
    EXPECT_LT(Clock::now() - vanished, seconds(5));
    EXPECT_EQ(metric("offhook_web_legs_failed_total{reason=\"peer-vanished\"}"), "1");
}

TEST_F(WebStoryTest, AnOfferOfRtpInsideAWebCallIsRefusedAndTheCallGoesOn) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    EXPECT_EQ(sip_->invite(OwnCaller::Offer{}), 488);
    EXPECT_TRUE(daemon_->wait_event("call.reoffer_refused"));
    ASSERT_TRUE(peer.wait_more(50, seconds(5)));
    EXPECT_EQ(peer.wire().judge().sequence_breaks, 0U);
    hang_up();
    expect_ended("caller-hangup");
}

// Everybody but us keeps the transport: our re-INVITE says so, and the peer's answer too.
TEST_F(WebStoryTest, WeHoldAndResumeByReinvite) {
    WebPeer peer(says(tone(8000, 600, 1)));
    std::mutex mutex;
    std::vector<std::string> offers;
    std::string answered;
    WebCallee callee([&](const std::string& offer) {
        const std::lock_guard lock(mutex);
        if (offers.empty() || offers.back() != offer) offers.push_back(offer);
        if (answered.empty()) answered = peer.answer(offer);
        std::string answer = answered;
        const bool is_hold = offer.find("a=sendonly") != std::string::npos;
        if (const auto at = answer.find("a=sendrecv"); is_hold && at != std::string::npos)
            answer.replace(at, 10, "a=recvonly");
        return answer;
    });
    start_web({},
              "[state]\ndirectory = \"" + (folder_ / "state").string() + "\"\n" + callee.account());
    ASSERT_TRUE(daemon_->wait_event("account.registered"));
    const HttpAnswer placed =
        daemon_->post("/api/v1/calls", R"({"account":"office","to":"101","ai":"tone"})");
    ASSERT_EQ(placed.status, 202) << placed.body;
    ASSERT_TRUE(eventually(seconds(15), &daemon_->process(), [&] { return peer.arrived() >= 50; }));
    const std::string call = "/api/v1/calls/" + daemon_->only_call();

    ASSERT_EQ(daemon_->post(call + "/hold").status, 202);
    ASSERT_TRUE(daemon_->wait_event("call.held_by_us"));
    ASSERT_TRUE(peer.wait_more(50, seconds(5))) << "the filler goes on";
    ASSERT_EQ(daemon_->post(call + "/resume").status, 202);
    ASSERT_TRUE(daemon_->wait_event("call.resumed_by_us"));
    ASSERT_TRUE(peer.wait_more(50, seconds(5)));

    const RtpVerdict verdict = peer.wire().judge();
    EXPECT_EQ(verdict.ssrcs, 1U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    const std::lock_guard lock(mutex);
    ASSERT_EQ(offers.size(), 3U);
    EXPECT_NE(offers[1].find("a=sendonly"), std::string::npos) << offers[1];
    EXPECT_NE(offers[2].find("a=sendrecv"), std::string::npos) << offers[2];
    for (const char* kept : {"ice-ufrag", "ice-pwd", "fingerprint"}) {
        EXPECT_EQ(attribute(offers[1], kept), attribute(offers[0], kept));
        EXPECT_EQ(attribute(offers[2], kept), attribute(offers[0], kept));
    }
}

}  // namespace
}  // namespace offhook::harness
