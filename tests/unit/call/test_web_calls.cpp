// The story of calls over ICE and DTLS-SRTP: everything is real but signalling and webrtcbin.
#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using model::CallState;
using model::EndReason;

class WebCalls : public RegistryTest {
protected:
    [[nodiscard]] const std::string& last_text() const { return sip.descriptions.back().web_text; }
    static bool has_line(const std::string& text, const std::string& line) {
        return text.find("\r\n" + line + "\r\n") != std::string::npos;
    }
    std::uint64_t sent(const model::CallId& id) const { return info(id).stats.sent_packets; }
};

TEST_F(WebCalls, IsAnsweredOnceGatheredAndSendsOnceConnected) {
    const model::CallId id = web_comes_in();
    EXPECT_EQ(sip.asked, std::vector{"ring " + id.text}) << "nothing is gathered yet";
    EXPECT_EQ(info(id).leg, model::LegKind::Web);
    EXPECT_EQ(info(id).pipeline, "web");
    EXPECT_EQ(info(id).worker, 1) << "of the pool apart";
    gathers();
    EXPECT_EQ(sip.last(), "answer " + id.text);
    EXPECT_TRUE(has_line(last_text(), "a=sendrecv")) << last_text();
    EXPECT_TRUE(has_line(last_text(), "a=ice-ufrag:ours0"));
    calls->on_answer_sent(id);
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_FALSE(info(id).web.is_connected);
    EXPECT_EQ(sent(id), 0U);
    EXPECT_EQ(info(id).web.connect_ms, -1);
    verifies(id);
    EXPECT_EQ(info(id).codec, "opus");
    EXPECT_EQ(info(id).srtp, "DTLS-SRTP");
    EXPECT_GE(info(id).web.connect_ms, 0);
    EXPECT_TRUE(wait_until([&] { return sent(id) >= 10; }));
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_ai_frames > 0; }));
    ends(id, model::ended(EndReason::CallerHangup));
    ASSERT_EQ(over.size(), 1U);
    EXPECT_GE(over[0].stats.sent_packets, 10U);
    EXPECT_TRUE(ways[0]->is_retired());
}

TEST_F(WebCalls, RingsForTheAnswerDelayHoweverSoonItHasGathered) {
    config.sip.answer_delay_ms = 50;
    const model::CallId id = web_comes_in();
    ways[0]->gathers();
    EXPECT_TRUE(wait_until([&] { return sip.was_asked("answer " + id.text); }));
    EXPECT_GE(info(id).state, CallState::Ringing);
    calls->on_answer_sent(id);
    EXPECT_GE(info(id).answer_ms, 50);
}

TEST_F(WebCalls, ConnectedBeforeThe200IsSentStartsWithThe200) {
    const model::CallId id = web_comes_in();
    gathers();
    verifies(id);
    EXPECT_EQ(sent(id), 0U);
    calls->on_answer_sent(id);
    EXPECT_TRUE(wait_until([&] { return sent(id) > 0; }));
}

TEST_F(WebCalls, RefusalsSayWhy) {
    const model::CallId deaf = web_comes_in({.formats = "9"});
    EXPECT_EQ(sip.last(), "reject " + deaf.text + " 488");
    EXPECT_EQ(over.back().end->reason, EndReason::NotAcceptable);
    EXPECT_NE(over.back().end->detail.find("opus"), std::string::npos) << over.back().end->detail;

    model::IncomingCall broken;
    broken.id = model::CallId::make();
    broken.to_user = "x";
    broken.offer.emplace();
    broken.offer->web_text = "a=ice-ufrag";
    calls->on_incoming(broken);
    EXPECT_EQ(sip.last(), "reject " + broken.id.text + " 400");
    EXPECT_EQ(over.back().end->reason, EndReason::Malformed);
    EXPECT_TRUE(ways.empty());
    EXPECT_TRUE(calls->calls(false).empty());
}

TEST_F(WebCalls, BeyondMaxLegsIsRefusedWhilePhoneCallsComeIn) {
    config.web.max_legs = 1;
    web_comes_in();
    const model::CallId second = web_comes_in();
    EXPECT_EQ(sip.last(), "reject " + second.text + " 503");
    EXPECT_EQ(sip.retry_after, std::chrono::seconds(5));
    EXPECT_EQ(over.back().end->reason, EndReason::LimitCalls);
    EXPECT_EQ(calls
                  ->place([this] {
                      auto o = order();
                      o.account = "browser";
                      return o;
                  }())
                  .error()
                  .why,
              model::OrderRefusal::Why::Unavailable);
    const model::CallId phone = comes_in();
    EXPECT_EQ(sip.last(), "answer " + phone.text);

    config.web.max_legs = 0;
    const model::CallId third = web_comes_in();
    EXPECT_EQ(sip.last(), "reject " + third.text + " 488");
}

TEST_F(WebCalls, AFailedTransportEndsTheCallWithItsOwnReason) {
    for (const EndReason reason : {EndReason::IceFailed,
                                   EndReason::DtlsFailed,
                                   EndReason::FingerprintMismatch,
                                   EndReason::WebTimeout}) {
        const model::CallId id = web_answered();
        ways.back()->fails(reason);
        EXPECT_TRUE(wait_until([&] { return sip.was_asked("hangup " + id.text); }));
        EXPECT_EQ(sip.ends.back().reason, reason);
        EXPECT_EQ(sip.reason_header.find("SIP;cause=4"), 0U) << sip.reason_header;
        EXPECT_EQ(sent(id), 0U) << "nothing was let through";
        ends(id, model::ended(EndReason::CallerHangup));
        EXPECT_EQ(over.back().end->reason, reason);
    }
}

TEST_F(WebCalls, AnInviteWhoseTransportFailsIsNotAnswered) {
    const model::CallId id = web_comes_in();
    ways.back()->fails(EndReason::PipelineError);
    EXPECT_TRUE(wait_until([&] { return sip.was_asked("hangup " + id.text); }));
    EXPECT_FALSE(sip.was_asked("answer " + id.text));
}

TEST_F(WebCalls, ALostPeerIsToldAndComesBackOrIsTheEnd) {
    const model::CallId id = web_connected();
    ways[0]->loses(true);
    EXPECT_TRUE(wait_until([&] { return info(id).web.is_lost; }));
    ways[0]->loses(false);
    EXPECT_TRUE(wait_until([&] { return !info(id).web.is_lost; }));
    EXPECT_EQ(info(id).web.losses, 1U);
    ways[0]->loses(true);
    ways[0]->fails(EndReason::PeerVanished);
    EXPECT_TRUE(wait_until([&] { return !sip.ends.empty(); }));
    EXPECT_EQ(sip.ends[0].reason, EndReason::PeerVanished);
}

TEST_F(WebCalls, ThePeerHoldsAndComesBack) {
    const model::CallId id = web_connected();
    EXPECT_TRUE(wait_until([&] { return sent(id) > 0; }));
    calls->on_reoffer(id, web_sdp({.direction = "inactive"}), 1);
    EXPECT_TRUE(wait_until([&] { return sip.descriptions.size() == 2; }));
    EXPECT_TRUE(has_line(last_text(), "a=inactive")) << last_text();
    EXPECT_EQ(info(id).state, CallState::Held);
    EXPECT_TRUE(wait_until([&] { return info(id).stats.held_frames > 5; }));
    const auto before = sent(id);
    calls->on_reoffer(id, web_sdp(), 2);
    EXPECT_TRUE(wait_until([&] { return sip.descriptions.size() == 3; }));
    EXPECT_TRUE(has_line(last_text(), "a=sendrecv"));
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_TRUE(wait_until([&] { return sent(id) > before; }));
    EXPECT_EQ(ways.size(), 1U) << "the transport stays";
}

TEST_F(WebCalls, WeHoldAndTakeItBack) {
    const model::CallId id = web_connected();
    ASSERT_TRUE(calls->hold(id));
    EXPECT_TRUE(wait_until([&] { return sip.last() == "reoffer " + id.text; }));
    EXPECT_TRUE(has_line(last_text(), "a=sendonly")) << last_text();
    calls->on_reoffer_done(id, 200, web_sdp({.direction = "recvonly", .setup = "passive"}));
    EXPECT_TRUE(info(id).is_held_by_us);
    ASSERT_TRUE(calls->resume(id));
    EXPECT_TRUE(wait_until([&] { return sip.descriptions.size() == 3; }));
    EXPECT_TRUE(has_line(last_text(), "a=sendrecv"));
    calls->on_reoffer_done(id, 491, std::nullopt);
    EXPECT_TRUE(info(id).is_held_by_us) << "all stays as it was";
    ASSERT_TRUE(calls->resume(id));
    EXPECT_TRUE(wait_until([&] { return sip.descriptions.size() == 4; }));
    calls->on_reoffer_done(id, 200, web_sdp({.setup = "passive"}));
    EXPECT_EQ(info(id).state, CallState::Answered);
}

TEST_F(WebCalls, AnIceRestartIsAnsweredOnceGathered) {
    const model::CallId id = web_connected();
    EXPECT_TRUE(wait_until([&] { return sent(id) > 0; }));
    calls->on_reoffer(id, web_sdp({.ufrag = "other"}), 3);
    ASSERT_EQ(ways.size(), 2U);
    EXPECT_EQ(sip.descriptions.size(), 1U);
    gathers();
    EXPECT_TRUE(has_line(last_text(), "a=ice-ufrag:ours1")) << last_text();
    EXPECT_FALSE(ways[0]->is_retired()) << "carries on until the new one is verified";
    verifies(id);
    EXPECT_TRUE(wait_until([&] { return ways[0]->is_retired(); })) << "after a moment of both";
    EXPECT_EQ(info(id).web.restarts, 1U);
    const auto before = sent(id);
    EXPECT_TRUE(wait_until([&] { return sent(id) > before + 5; }));
}

TEST_F(WebCalls, ANewerReinviteMakesTheAnswerToTheOlderVoid) {
    const model::CallId id = web_connected();
    calls->on_reoffer(id, web_sdp({.ufrag = "second"}), 3);
    calls->on_reoffer(id, web_sdp({.ufrag = "third"}), 4);
    ASSERT_EQ(ways.size(), 3U);
    EXPECT_TRUE(ways[1]->is_retired());
    gathers();
    EXPECT_EQ(sip.descriptions.size(), 2U);
    EXPECT_EQ(sip.exchanges.back(), 4U);
    EXPECT_TRUE(has_line(last_text(), "a=ice-ufrag:ours2"));
}

TEST_F(WebCalls, ACancelledReinviteChangesNothing) {
    const model::CallId id = web_connected();
    calls->on_reoffer(id, web_sdp({.ufrag = "second"}), 3);
    calls->on_confirmed(id, web_sdp());  // what stays in force
    EXPECT_TRUE(ways[1]->is_retired());
    EXPECT_FALSE(ways[0]->is_retired());
    EXPECT_TRUE(wait_until([&] { return sent(id) > 5; }));
    EXPECT_EQ(sip.descriptions.size(), 1U) << "nobody is answered";
    ASSERT_TRUE(calls->hold(id)) << "and we may offer";
}

TEST_F(WebCalls, NobodyMovesBetweenRtpAndWeb) {
    const model::CallId web = web_connected();
    calls->on_reoffer(web, peer_sdp(), 1);
    EXPECT_EQ(sip.last(), "reject " + web.text + " 488");
    const model::CallId phone = answered();
    calls->on_reoffer(phone, web_sdp(), 1);
    EXPECT_EQ(sip.last(), "reject " + phone.text + " 488");
    EXPECT_EQ(info(web).state, CallState::Answered);
    EXPECT_EQ(info(phone).state, CallState::Answered);
}

TEST_F(WebCalls, AnInviteWithoutAnOfferGetsOursAndItsAnswerInTheAck) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.account = "browser";
    incoming.to_user = "y";
    const model::CallId id = incoming.id;
    calls->on_incoming(std::move(incoming));
    ASSERT_EQ(ways.size(), 1U);
    EXPECT_EQ(ways[0]->told.front(), "offer");
    gathers(sdp::Setup::ActPass);
    EXPECT_EQ(sip.last(), "answer " + id.text);
    EXPECT_TRUE(has_line(last_text(), "a=setup:actpass")) << last_text();
    calls->on_answer_sent(id);
    calls->on_confirmed(id, web_sdp({.setup = "active"}));
    EXPECT_EQ(info(id).codec, "opus");
    verifies(id);
    EXPECT_TRUE(wait_until([&] { return sent(id) > 0; }));
}

TEST_F(WebCalls, AnAckWithoutAnAnswerIsTheEnd) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.account = "browser";
    incoming.to_user = "y";
    const model::CallId id = incoming.id;
    calls->on_incoming(std::move(incoming));
    gathers(sdp::Setup::ActPass);
    calls->on_answer_sent(id);
    calls->on_confirmed(id, std::nullopt);
    EXPECT_EQ(sip.last(), "hangup " + id.text);
    EXPECT_EQ(sip.ends.back().reason, EndReason::NotAcceptable);
}

TEST_F(WebCalls, WeCallOnceGathered) {
    auto o = order();
    o.account = "browser";
    const auto placed = calls->place(o);
    ASSERT_TRUE(placed) << placed.error().detail;
    EXPECT_TRUE(sip.placed.empty());
    gathers(sdp::Setup::ActPass);
    ASSERT_EQ(sip.placed.size(), 1U);
    EXPECT_TRUE(has_line(sip.placed[0].offer.web_text, "a=setup:actpass"));
    EXPECT_EQ(sip.placed[0].to, "101");
    calls->on_accepted(placed->id, web_sdp({.setup = "active"}));
    EXPECT_EQ(info(placed->id).state, CallState::Answered);
    verifies(placed->id);
    EXPECT_TRUE(wait_until([&] { return sent(placed->id) > 0; }));
}

TEST_F(WebCalls, AnAnswerOfAnotherKindIsTheEndOfACallOfOurs) {
    auto o = order();
    o.account = "browser";
    const auto placed = calls->place(o);
    ASSERT_TRUE(placed);
    gathers(sdp::Setup::ActPass);
    calls->on_accepted(placed->id, peer_sdp());
    EXPECT_EQ(sip.ends.back().reason, EndReason::MediaRefused);
}

TEST_F(WebCalls, ACallHungUpBeforeItsInviteLeftIsOver) {
    auto o = order();
    o.account = "browser";
    const auto placed = calls->place(o);
    ASSERT_TRUE(placed);
    ASSERT_TRUE(calls->hangup(placed->id, "test"));
    EXPECT_TRUE(wait_until([&] { return !over.empty(); }));
    EXPECT_EQ(over[0].end->reason, EndReason::ApiHangup);
    EXPECT_TRUE(sip.placed.empty());
    EXPECT_TRUE(calls->calls(false).empty());
    EXPECT_TRUE(ways[0]->is_retired());
}

TEST_F(WebCalls, WhoSendsUsElsewhereHearsOfTheCallOnceItsInviteLeft) {
    accounts["browser"].outbound.per_minute = 10;
    const auto asked = [this] {
        const model::CallId id = answered("y", "browser");
        model::Transfer transfer;
        transfer.target = "sip:102@pbx.example.com";
        calls->on_transfer_requested(id, transfer);
        return id;
    };
    const model::CallId first = asked();
    ASSERT_TRUE(info(first).transfer);
    const model::CallId placed = info(first).transfer->call;
    EXPECT_FALSE(sip.was_asked("accept_transfer " + first.text + " " + placed.text));
    gathers(sdp::Setup::ActPass);
    EXPECT_TRUE(sip.was_asked("place " + placed.text));
    EXPECT_TRUE(sip.was_asked("accept_transfer " + first.text + " " + placed.text));

    const model::CallId second = asked();
    ways.back()->fails(EndReason::PipelineError);
    EXPECT_TRUE(
        wait_until([&] { return sip.was_asked("refuse_transfer " + second.text + " 503"); }));
    EXPECT_EQ(info(second).transfer->status, 503);
    EXPECT_EQ(info(second).state, CallState::Answered);
}

TEST_F(WebCalls, CandidatesThatComeLaterReachTheTransport) {
    const model::CallId id = web_answered();
    calls->on_candidates(id, {"candidate:2 1 udp 2113937150 127.0.0.1 50001 typ host"}, true);
    EXPECT_EQ(ways[0]->trickled.size(), 1U);
    const model::CallId phone = answered();
    calls->on_candidates(phone, {"candidate:2 1 udp 1 127.0.0.1 50001 typ host"}, true);
    calls->on_candidates({"c-nobody"}, {}, true);
    EXPECT_EQ(ways[0]->trickled.size(), 1U);
}

TEST_F(WebCalls, AlarmsOfPhoneLegsWaitUntilItIsConnected) {
    const model::CallId id = web_answered();
    EXPECT_EQ(calls->totals().alive, 0U);
    // Two looks of the registry, half a second after which a phone call would be reported.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1200);
    EXPECT_TRUE(wait_until([&] { return std::chrono::steady_clock::now() >= until; }));
    EXPECT_EQ(calls->health().status, model::HealthCheck::Status::Ok);
    verifies(id);
    EXPECT_TRUE(wait_until([&] { return calls->totals().alive == 1; }));
}

}  // namespace
}  // namespace offhook::call::testing
