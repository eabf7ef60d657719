// Requests inside a call: re-INVITE in all its forms, and what else comes there.
#include <gtest/gtest.h>

#include "scripted_uac.h"

namespace offhook::test {
namespace {

class SipReinvite : public testing::Test {
protected:
    void SetUp() override {
        bench.answer_all();
        ok = uac.call(plain_offer());
        ASSERT_FALSE(ok.empty());
        ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    }
    /// From now on re-offers wait for the test.
    void hold_back() { bench.events.when_reoffer = {}; }
    [[nodiscard]] const model::CallId& id() const { return bench.events.calls.at(0).id; }

    Bench bench;
    ScriptedUac uac{bench, ScriptedUac::Over::Udp};
    Message ok;
};

TEST_F(SipReinvite, HoldAndResume) {
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_EQ(uac.receive().status(), 100);
    const Message held = uac.expect(200);
    EXPECT_NE(held.body().find("a=recvonly\r\n"), std::string::npos);
    EXPECT_EQ(bench.events.last_sdp->audio.direction, model::Direction::SendOnly);
    EXPECT_EQ(held.tag("To"), uac.to_tag);
    EXPECT_FALSE(held.header("Contact").empty());
    uac.send(uac.request("ACK"));
    uac.send(uac.request("INVITE", plain_offer(3, "sendrecv")));
    const Message resumed = uac.expect(200);
    EXPECT_NE(resumed.body().find("a=sendrecv\r\n"), std::string::npos);
    uac.send(uac.request("ACK"));
    EXPECT_EQ(bench.events.count("reoffer"), 2U);
    // Neither the answer nor the ACK of a re-INVITE is news.
    EXPECT_EQ(bench.events.count("answer_sent"), 1U);
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
    EXPECT_EQ(bench.events.count("confirmed"), 1U);
}

TEST_F(SipReinvite, RefreshRepeatsTheLastAnswerWithoutAsking) {
    uac.send(uac.request("INVITE", plain_offer()));
    const Message refreshed = uac.receive();
    EXPECT_EQ(refreshed.status(), 200);
    EXPECT_EQ(refreshed.body(), ok.body());
    uac.send(uac.request("ACK"));
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().requests == 2; }));
    EXPECT_FALSE(bench.events.saw("reoffer"));
}

TEST_F(SipReinvite, HoldWithoutANewVersionIsNoRefresh) {
    uac.send(uac.request("INVITE", plain_offer(1, "sendonly")));
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_TRUE(bench.events.saw("reoffer"));
}

TEST_F(SipReinvite, MovedAddressIsReported) {
    uac.send(uac.request("INVITE", plain_offer(2, "sendrecv", "127.0.0.9")));
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_EQ(bench.events.last_sdp->audio.address, "127.0.0.9");
}

TEST_F(SipReinvite, OfferlessCarriesOurOfferAndReportsTheAnswer) {
    uac.send(uac.request("INVITE"));
    const Message offered = uac.expect(200);
    EXPECT_NE(offered.body().find("m=audio 20000"), std::string::npos);
    uac.send(uac.request("ACK", plain_offer(2, "inactive")));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed+sdp"); }));
    EXPECT_EQ(bench.events.last_sdp->audio.direction, model::Direction::Inactive);
}

TEST_F(SipReinvite, InfoMeanwhileDoesNotHideTheAck) {
    hold_back();
    uac.send(uac.request("INVITE"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer"); }));
    uac.send(uac.request("INFO"));
    EXPECT_FALSE(uac.expect(200).empty());
    bench.stack().answer(id(), Bench::local_sdp({}, 2), bench.events.last_exchange);
    uac.cseq = 2;
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("ACK", plain_offer(2, "inactive")));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("confirmed+sdp"); }));
}

TEST_F(SipReinvite, SecondOneMeanwhileIs491AndOlderOneIs500) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_EQ(uac.receive().status(), 100);
    const std::string first = uac.branch;
    uac.send(uac.request("INVITE", plain_offer(3)));
    EXPECT_EQ(uac.receive().status(), 491);
    uac.send(uac.request("ACK", {}, true));
    uac.cseq = 1;  // the next INVITE has CSeq 2 again
    uac.send(uac.request("INVITE", plain_offer(4)));
    const Message old = uac.receive();
    EXPECT_EQ(old.status(), 500);
    EXPECT_FALSE(old.header("Retry-After").empty());
    uac.send(uac.request("ACK", {}, true));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer"); }));
    bench.stack().answer(
        id(), Bench::local_sdp(bench.events.last_sdp, 2), bench.events.last_exchange);
    const Message answered = uac.expect(200);
    EXPECT_EQ(answered.header("CSeq"), "2 INVITE");
    EXPECT_EQ(bench.events.count("reoffer"), 1U);
}

TEST_F(SipReinvite, WhileThe200WaitsForItsAckIs491) {
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("INVITE", plain_offer(3)));
    EXPECT_EQ(uac.receive().status(), 491);
}

TEST_F(SipReinvite, RejectedOneLeavesTheCall) {
    bench.events.when_reoffer =
        [&](const model::CallId& call, const auto&, std::uint32_t exchange) {
            bench.stack().reject(call, 488, "", std::nullopt, exchange);
        };
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(488).empty());
    uac.send(uac.request("ACK", {}, true));
    bench.answer_all();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_EQ(bench.stack().counters().invites_rejected, 0U);
}

TEST_F(SipReinvite, CancelledOneLeavesTheCall) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_EQ(uac.receive().status(), 100);
    uac.send(uac.request("CANCEL", {}, true));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_EQ(uac.receive().status(), 487);
    uac.send(uac.request("ACK", {}, true));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer"); }));
    bench.stack().answer(
        id(), Bench::local_sdp(bench.events.last_sdp), bench.events.last_exchange);  // too late
    EXPECT_TRUE(uac.is_silent(30ms));
    uac.send(uac.request("OPTIONS"));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_FALSE(bench.events.saw("ended caller-cancelled"));
}

TEST_F(SipReinvite, LateAnswerToACancelledOneDoesNotHitTheNext) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    ASSERT_TRUE(bench.wait([&] { return bench.events.count("reoffer") == 1; }));
    const std::uint32_t first = bench.events.last_exchange;
    uac.send(uac.request("CANCEL", {}, true));
    ASSERT_FALSE(uac.expect(200).empty());  // to the CANCEL
    ASSERT_FALSE(uac.expect(487).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("INVITE", plain_offer(3)));
    ASSERT_TRUE(bench.wait([&] { return bench.events.count("reoffer") == 2; }));
    bench.stack().answer(id(), Bench::local_sdp(bench.events.last_sdp, 7), first);
    bench.stack().reject(id(), 488, "", std::nullopt, first);
    bench.stack().answer(
        id(), Bench::local_sdp(bench.events.last_sdp, 8), bench.events.last_exchange);
    EXPECT_NE(uac.expect(200).body().find(" 8 IN IP4"), std::string::npos);
}

TEST_F(SipReinvite, CancelledOneGivesTheOldDescriptionBack) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly", "127.0.0.9")));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer"); }));
    uac.send(uac.request("CANCEL", {}, true));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed+sdp"); }));
    EXPECT_EQ(bench.events.lines.back(), "confirmed+sdp");
    EXPECT_EQ(bench.events.last_sdp->audio.direction, model::Direction::SendRecv);
    EXPECT_EQ(bench.events.last_sdp->audio.address, "127.0.0.1");
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_FALSE(uac.expect(487).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("INVITE", plain_offer()));  // a refresh: the old one is what holds
    EXPECT_EQ(uac.expect(200).body(), ok.body());
    EXPECT_EQ(bench.events.count("reoffer"), 1U);
}

TEST_F(SipReinvite, CancelledOfferlessOneHasNothingToGiveBack) {
    hold_back();
    uac.send(uac.request("INVITE"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer"); }));
    uac.send(uac.request("CANCEL", {}, true));
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_FALSE(uac.expect(487).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("OPTIONS"));  // its answer shows that the CANCEL is dealt with
    EXPECT_FALSE(uac.expect(200).empty());
    bench.control.run();
    EXPECT_FALSE(bench.events.saw("confirmed+sdp"));
}

TEST_F(SipReinvite, ByeEndsAPendingOne) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_EQ(uac.receive().status(), 100);
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_EQ(uac.receive().status(), 487);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
}

TEST_F(SipReinvite, HangupEndsAPendingOne) {
    hold_back();
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_EQ(uac.receive().status(), 100);
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_EQ(uac.receive().status(), 487);
    EXPECT_EQ(uac.receive().method(), "BYE");
}

TEST_F(SipReinvite, BadOffersAreRefusedAndTheCallGoesOn) {
    uac.send(uac.request("INVITE", "v=0\r\nnonsense\r\n"));
    EXPECT_EQ(uac.receive().status(), 400);
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("INVITE",
                         "v=0\r\no=x 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                         "m=audio 0 RTP/AVP 0\r\n"));
    EXPECT_EQ(uac.receive().status(), 488);
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("OPTIONS"));
    EXPECT_EQ(uac.receive().status(), 200);
}

TEST_F(SipReinvite, NewContactIsWhereOurByeGoes) {
    ScriptedUac moved(bench, ScriptedUac::Over::Udp);
    uac.contact = "<sip:alice@127.0.0.1:" + std::to_string(moved.local_port()) + ">";
    uac.send(uac.request("INVITE", plain_offer(2)));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("ACK"));
    uac.send(uac.request("OPTIONS"));  // its answer shows that the ACK was read
    EXPECT_EQ(uac.receive().status(), 200);
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    const Message bye = moved.expect("BYE");
    EXPECT_FALSE(bye.empty());
    moved.accept(bye);
}

TEST_F(SipReinvite, OtherRequestsInTheCall) {
    uac.send(uac.request("INFO"));
    EXPECT_EQ(uac.receive().status(), 200);
    const auto info = [&](const std::string& type, const std::string& body) {
        std::string text = uac.request("INFO", body);
        const auto at = text.find("application/sdp");
        return text.replace(at, std::string("application/sdp").size(), type);
    };
    uac.send(info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"));
    EXPECT_EQ(uac.receive().status(), 200);
    uac.send(info("application/x-unknown", "?"));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("info application/x-unknown ?"); }));
    EXPECT_TRUE(bench.events.saw("digit 5 160"));
    bench.stack().set_draining(true);
    uac.send(uac.request("OPTIONS"));  // about the call, which goes on
    EXPECT_EQ(uac.receive().status(), 200);
    for (const char* method : {"REGISTER", "PUBLISH"}) {
        uac.send(uac.request(method));
        EXPECT_EQ(uac.receive().status(), 405) << method;
    }
    uac.send(uac.request("SUBSCRIBE"));
    EXPECT_EQ(uac.receive().status(), 489);
    uac.cseq = 0;
    uac.send(uac.request("OPTIONS"));  // out of order
    EXPECT_EQ(uac.receive().status(), 500);
}

}  // namespace
}  // namespace offhook::test
