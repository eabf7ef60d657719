// Calls through real loopback sockets: set-up, answer, end.
#include <gtest/gtest.h>

#include "scripted_uac.h"

namespace offhook::test {
namespace {

class Transports : public testing::TestWithParam<ScriptedUac::Over> {};
INSTANTIATE_TEST_SUITE_P(Sip,
                         Transports,
                         testing::Values(ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp),
                         [](const auto& over) {
                             return over.param == ScriptedUac::Over::Udp ? "Udp" : "Tcp";
                         });

TEST_P(Transports, CallIsAnsweredConfirmedAndEndedByTheCaller) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(uac.receive().status(), 100);
    const Message ok = uac.expect(200);
    ASSERT_FALSE(ok.empty());
    EXPECT_NE(ok.body().find("m=audio 20000 RTP/AVP 0 101\r\n"), std::string::npos);
    EXPECT_EQ(ok.header("Content-Type"), "application/sdp");
    EXPECT_NE(ok.header("Allow").find("INVITE"), std::string::npos);
    EXPECT_TRUE(ok.header("Contact").starts_with("<sip:offhook@127.0.0.1:"));
    EXPECT_TRUE(ok.header("Server").starts_with("offhook/"));
    EXPECT_FALSE(ok.tag("To").empty());
    uac.learn(ok);
    uac.send(uac.request("ACK"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
    EXPECT_EQ(
        bench.events.lines,
        (std::vector<std::string>{"incoming", "answer_sent", "confirmed", "ended caller-hangup"}));
    const auto& call = bench.events.calls.at(0);
    EXPECT_EQ(call.from_user, "alice");
    EXPECT_EQ(call.to_user, "service");
    EXPECT_EQ(call.user_agent, "scripted");
    EXPECT_EQ(call.sip_call_id, uac.call_id);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

TEST_P(Transports, OfferlessCallCarriesOurOfferAndTheAnswerInTheAck) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE"));
    const Message ok = uac.expect(200);
    EXPECT_NE(ok.body().find("m=audio 20000 RTP/AVP 0 8 101\r\n"), std::string::npos);
    EXPECT_FALSE(bench.events.calls.at(0).offer);
    uac.learn(ok);
    uac.send(uac.request("ACK", plain_offer()));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed+sdp"); }));
    EXPECT_EQ(bench.events.last_sdp->audio.rtp_port, 6000);
}

TEST_P(Transports, OfferlessCallWithoutAnAnswerIsHungUp) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE"));
    uac.learn(uac.expect(200));
    uac.send(uac.request("ACK"));
    const Message bye = uac.expect("BYE");
    ASSERT_FALSE(bye.empty());
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended not-acceptable"); }));
    EXPECT_FALSE(bench.events.saw("confirmed"));
}

TEST_P(Transports, RingingThenHangupFromOurSide) {
    Bench bench;
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().ring(call.id);
    };
    ScriptedUac uac(bench, GetParam());
    uac.record_routes = {
        "<sip:127.0.0.1:" + std::to_string(uac.local_port()) + ";lr;n=1>, <sip:192.0.2.7;lr>",
        "<sip:192.0.2.8;lr>"};
    uac.send(uac.request("INVITE", plain_offer()));
    const Message ringing = uac.expect(180);
    ASSERT_FALSE(ringing.empty());
    const auto& call = bench.events.calls.at(0);
    bench.stack().answer(call.id, Bench::local_sdp(call.offer));
    const Message ok = uac.expect(200);
    EXPECT_EQ(ok.tag("To"), ringing.tag("To"));
    // RFC 3261 §12.1.1: the record route comes back in order.
    EXPECT_NE(ok.header("Record-Route", 0).find("n=1"), std::string::npos);
    EXPECT_NE(ok.header("Record-Route", 2).find("192.0.2.8"), std::string::npos);
    uac.learn(ok);
    uac.send(uac.request("ACK"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));

    bench.stack().hangup(
        call.id, model::ended(model::EndReason::ApiHangup), "SIP;cause=200;text=\"done\"\r\nX: y");
    const Message bye = uac.expect("BYE");
    ASSERT_FALSE(bye.empty());
    EXPECT_TRUE(
        bye.request_uri().starts_with("sip:alice@127.0.0.1:" + std::to_string(uac.local_port())));
    EXPECT_NE(bye.header("Route", 0).find("n=1"), std::string::npos);
    EXPECT_NE(bye.header("Route", 1).find("192.0.2.7"), std::string::npos);
    EXPECT_NE(bye.header("Route", 2).find("192.0.2.8"), std::string::npos);
    EXPECT_EQ(bye.header("Reason"), "SIP;cause=200;text=\"done\"  X: y");
    EXPECT_TRUE(bye.header("X").empty());
    EXPECT_EQ(bye.header("Call-ID"), uac.call_id);
    EXPECT_EQ(bye.tag("From"), uac.to_tag);
    EXPECT_EQ(bye.tag("To"), uac.from_tag);
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended api-hangup"); }));
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

TEST(SipCall, StrictRouterGetsTheRequestUri) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    const std::string here = "127.0.0.1:" + std::to_string(uac.local_port());
    uac.record_routes = {"<sip:" + here + ">"};
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    const Message bye = uac.expect("BYE");
    EXPECT_EQ(bye.request_uri(), "sip:" + here);
    EXPECT_EQ(bye.header("Route"), "<sip:alice@" + here + ">");
}

TEST_P(Transports, HangupWhilePendingIs480) {
    Bench bench;
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("incoming"); }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    EXPECT_FALSE(uac.expect(480).empty());
    uac.send(uac.request("ACK", {}, true));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended api-hangup"); }));
}

TEST_P(Transports, RejectionReachesTheCallerAndIsNoEnd) {
    Bench bench;
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().reject(call.id, 503, "No\r\nroom", std::chrono::seconds(7));
    };
    ScriptedUac uac(bench, GetParam());
    for (int i = 0; i < 2; ++i) {
        uac.new_call();
        uac.send(uac.request("INVITE", plain_offer()));
        const Message busy = uac.expect(503);
        ASSERT_FALSE(busy.empty());
        EXPECT_TRUE(busy.text.starts_with("SIP/2.0 503 No  room\r\n"));
        EXPECT_EQ(busy.header("Retry-After"), "7");
        uac.send(uac.request("ACK", {}, true));
    }
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().invites_rejected == 2; }));
    EXPECT_EQ(bench.events.lines, (std::vector<std::string>{"incoming", "incoming"}));
}

TEST_P(Transports, CancelBeforeTheAnswer) {
    Bench bench;
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(uac.receive().status(), 100);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("incoming"); }));
    uac.send(uac.request("CANCEL", {}, true));
    const Message cancelled = uac.receive();
    EXPECT_EQ(cancelled.status(), 200);
    EXPECT_EQ(cancelled.header("CSeq"), "1 CANCEL");
    const Message terminated = uac.receive();
    EXPECT_EQ(terminated.status(), 487);
    EXPECT_EQ(terminated.header("CSeq"), "1 INVITE");
    uac.send(uac.request("ACK", {}, true));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-cancelled"); }));
    // The call room's answer was on its way: it must go nowhere.
    const auto& call = bench.events.calls.at(0);
    bench.stack().answer(call.id, Bench::local_sdp(call.offer));
    bench.stack().hangup(call.id, model::ended(model::EndReason::ApiHangup));
    EXPECT_TRUE(uac.is_silent(50ms));
    EXPECT_EQ(bench.events.lines, (std::vector<std::string>{"incoming", "ended caller-cancelled"}));
    EXPECT_EQ(bench.stack().counters().invites_cancelled, 1U);
}

TEST_P(Transports, CancelAfterTheAnswerIsHarmless) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    const std::string invite_branch = uac.branch;
    const Message ok = uac.expect(200);
    uac.send(uac.request("CANCEL", {}, true));
    const Message cancelled = uac.receive();
    EXPECT_EQ(cancelled.status(), 200);
    EXPECT_EQ(cancelled.header("CSeq"), "1 CANCEL");
    uac.learn(ok);
    uac.send(uac.request("ACK"));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
}

TEST_P(Transports, CancelOfNothingIs481) {
    Bench bench;
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("CANCEL"));
    EXPECT_EQ(uac.receive().status(), 481);
}

TEST_P(Transports, ByeBeforeTheAnswerEndsTheInvite) {
    Bench bench;
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().ring(call.id);
    };
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    uac.learn(uac.expect(180));
    uac.send(uac.request("BYE"));
    const Message first = uac.receive();
    const Message second = uac.receive();
    EXPECT_EQ(first.status(), 200);
    EXPECT_EQ(second.status(), 487);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-cancelled"); }));
}

TEST_P(Transports, RequestsBeforeTheAnswerDoNotHideItsAck) {
    Bench bench;
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().ring(call.id);
    };
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    uac.learn(uac.expect(180));
    uac.send(uac.request("INFO"));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("INVITE", plain_offer(2)));
    EXPECT_FALSE(uac.expect(491).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.cseq = 1;
    const auto& call = bench.events.calls.at(0);
    bench.stack().answer(call.id, Bench::local_sdp(call.offer));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("ACK"));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
}

TEST_P(Transports, LostAckRepeatsThe200AndEndsTheCall) {
    Bench bench([](auto& settings) {
        settings.t1 = 10ms;
        settings.t2 = 40ms;
    });
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    const Message ok = uac.expect(200);
    int repeats = 0;
    Message next = uac.receive();
    for (; next.status() == 200; next = uac.receive()) {
        ++repeats;
        EXPECT_EQ(next.text, ok.text);
    }
    // 10, 20, 40, 40 ... up to 640 ms: 17 by the clock, fewer when the machine is late.
    EXPECT_GE(repeats, 5);
    EXPECT_LE(repeats, 18);
    EXPECT_EQ(next.method(), "BYE");
    uac.accept(next);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended ack-timeout"); }));
    EXPECT_EQ(bench.stack().counters().ack_timeouts, 1U);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

TEST(SipCall, RetransmittedInviteGetsTheLastAnswerAgain) {
    Bench bench;
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    const std::string invite = uac.request("INVITE", plain_offer());
    uac.send(invite);
    EXPECT_EQ(uac.receive().status(), 100);
    uac.send(invite);
    EXPECT_EQ(uac.receive().status(), 100);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("incoming"); }));
    const auto& call = bench.events.calls.at(0);
    bench.stack().answer(call.id, Bench::local_sdp(call.offer));
    const Message ok = uac.expect(200);
    uac.send(invite);  // the transaction died with the 200 (RFC 6026): the dialog repeats it
    EXPECT_EQ(uac.receive().text, ok.text);
    uac.learn(ok);
    uac.send(uac.request("ACK"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(invite);
    const std::string bye = uac.request("BYE");
    uac.send(bye);
    EXPECT_EQ(uac.receive().header("CSeq"), "2 BYE");
    uac.send(bye);
    EXPECT_EQ(uac.receive().header("CSeq"), "2 BYE");
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
    EXPECT_EQ(bench.events.count("incoming"), 1U);
    EXPECT_EQ(bench.events.count("ended caller-hangup"), 1U);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().retransmissions == 3; }));
}

TEST(SipCall, LateCopyOfAnInviteIsNoNewCall) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    const std::string invite = uac.request("INVITE", plain_offer());
    uac.send(invite);
    uac.learn(uac.expect(200));
    uac.send(uac.request("ACK"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
    // RFC 6026 §7.1: absorbed while the transaction is accepted, also by another way.
    uac.send(invite);
    std::string other = invite;
    other.replace(other.find("branch=z9hG4bK"), 14, "branch=z9hG4bKother");
    uac.send(other);
    EXPECT_EQ(uac.receive().status(), 482);
    EXPECT_EQ(bench.events.count("incoming"), 1U);
}

TEST(SipCall, AcknowledgementUnderTheBranchOfTheInvite) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.send(uac.request("INVITE", plain_offer()));
    uac.learn(uac.expect(200));
    uac.send(uac.request("ACK", {}, true));
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
}

TEST(SipCall, HangupBeforeTheAckWaitsForIt) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.send(uac.request("INVITE", plain_offer()));
    uac.learn(uac.expect(200));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::AiHangup));
    // The call room has its end at once, the peer its BYE only after the ACK (RFC 3261 §15).
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended ai-hangup"); }));
    EXPECT_TRUE(uac.is_silent(50ms));
    uac.send(uac.request("ACK"));
    const Message bye = uac.receive();
    EXPECT_EQ(bye.method(), "BYE");
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
    EXPECT_FALSE(bench.events.saw("confirmed"));
}

TEST(SipCall, UnansweredByeIsRepeatedOverUdpAndThenForgotten) {
    Bench bench([](auto& settings) {
        settings.t1 = 10ms;
        settings.t2 = 40ms;
    });
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    const Message bye = uac.receive();
    EXPECT_EQ(bye.method(), "BYE");
    EXPECT_EQ(uac.receive().text, bye.text);
    EXPECT_EQ(bench.stack().counters().dialogs, 1U);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

TEST(SipCall, CrossingByesBothGet200) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    const Message bye = uac.expect("BYE");
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
    EXPECT_EQ(bench.events.count("ended api-hangup"), 1U);
    EXPECT_FALSE(bench.events.saw("ended caller-hangup"));
}

TEST(SipCall, StopHangsUpWhatIsLeft) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    bench.stack().stop(1ms);
    EXPECT_EQ(uac.receive().method(), "BYE");
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended drained"); }));
    bench.stack().answer(bench.events.calls.at(0).id, {});  // after the end: no effect
}

TEST(SipCall, StopSendsTheByesThatWaitForAnAck) {
    Bench bench;
    bench.answer_all();
    ScriptedUac hung_up(bench, ScriptedUac::Over::Udp);
    hung_up.send(hung_up.request("INVITE", plain_offer()));
    ASSERT_FALSE(hung_up.expect(200).empty());
    bench.stack().hangup(
        bench.events.calls.at(0).id, model::ended(model::EndReason::AiHangup), "SIP;cause=200");
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended ai-hangup"); }));
    ScriptedUac live(bench, ScriptedUac::Over::Tcp);
    live.send(live.request("INVITE", plain_offer()));
    ASSERT_FALSE(live.expect(200).empty());
    bench.stack().stop(1ms);
    EXPECT_EQ(hung_up.expect("BYE").header("Reason"), "SIP;cause=200");
    EXPECT_EQ(live.expect("BYE").header("Call-ID"), live.call_id);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended drained"); }));
}

TEST(SipCall, TcpByeComesByANewConnectionWhenTheOldOneIsGone) {
    Bench bench;
    bench.answer_all();
    auto uac = std::make_unique<ScriptedUac>(bench, ScriptedUac::Over::Tcp);
    TcpAcceptor elsewhere;
    uac->contact = "<sip:alice@127.0.0.1:" + std::to_string(elsewhere.port()) + ";transport=tcp>";
    ASSERT_FALSE(uac->call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.reset();
    ASSERT_TRUE(bench.wait([&] { return bench.stack().counters().connections == 0; }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    EXPECT_TRUE(elsewhere.first_bytes(bench).starts_with("BYE sip:alice@127.0.0.1:"));
}

TEST(SipCall, ContactOutsideAllowIsNotCalledBack) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.contact = "<sip:victim@192.0.2.99:5060>";
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    bench.stack().hangup(bench.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    const Message bye = uac.expect("BYE");
    EXPECT_EQ(bye.request_uri(), "sip:victim@192.0.2.99:5060");
}

}  // namespace
}  // namespace offhook::test
