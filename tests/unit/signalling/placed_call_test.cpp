// Calls that we place, through an account's flow on loopback.
#include <gtest/gtest.h>

#include "scripted_uas.h"

namespace offhook::test {
namespace {

void quick(signalling::sip::SipSettings& settings) {
    settings.t1 = 20ms;
    settings.t2 = 80ms;
    settings.t4 = 100ms;
}

class PlacedCall : public testing::Test {
protected:
    bool sees(std::string_view line) {
        return bench.wait([&] { return bench.events.saw(line); });
    }
    bool is_empty() {
        return bench.wait([&] { return bench.stack().counters().dialogs == 0; });
    }

    Bench bench{quick};
    ScriptedUas uas{bench};
};

TEST_F(PlacedCall, RingsIsAnsweredAndEndedByThem) {
    const Message invite = uas.place("300", 60s, {{"X-Campaign", "spring"}});
    ASSERT_FALSE(invite.empty());
    EXPECT_EQ(invite.request_uri(), "sip:300@pbx.test");
    EXPECT_TRUE(invite.header("From").starts_with("\"Desk\" <sip:200@pbx.test>;tag="))
        << invite.text;
    EXPECT_EQ(invite.header("X-Campaign"), "spring");
    EXPECT_NE(invite.header("Supported").find("100rel"), std::string::npos);
    EXPECT_EQ(invite.header("Session-Expires"), "1800");
    EXPECT_NE(invite.body().find("m=audio 20000 RTP/AVP 0 8 101\r\n"), std::string::npos);
    uas.reply(invite, 180);
    ASSERT_TRUE(sees("progress 180"));
    uas.reply(invite, 183, plain_offer());
    ASSERT_TRUE(sees("progress 183+sdp"));
    uas.reply(invite, 200, plain_offer());
    const Message ack = uas.expect("ACK");
    ASSERT_FALSE(ack.empty());
    EXPECT_EQ(ack.tag("To"), "uas");
    EXPECT_EQ(ack.header("CSeq"), "1 ACK");
    EXPECT_TRUE(ack.request_uri().starts_with("sip:uas@127.0.0.1:"));
    ASSERT_TRUE(sees("accepted"));
    EXPECT_EQ(bench.events.last_sdp->audio.rtp_port, 6000);
    uas.reply(invite, 200, plain_offer());  // our ACK was lost
    const Message again = uas.expect("ACK");
    EXPECT_EQ(again.text, ack.text);
    uas.request(invite, "BYE", {}, {}, {{"Reason", "Q.850;cause=16"}});
    EXPECT_EQ(uas.receive().status(), 200);
    ASSERT_TRUE(sees("ended callee-hangup"));
    EXPECT_EQ(bench.events.ends.back().detail, "Q.850;cause=16");
    ASSERT_EQ(bench.events.ends.back().peer_reasons.size(), 1U);
    EXPECT_EQ(bench.events.ends.back().peer_reasons[0].cause, 16);
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, HungUpByUsWithAReason) {
    uas.call();
    bench.stack().hangup(
        uas.id(), model::ended(model::EndReason::ApiHangup), "SIP;cause=200;text=\"bye\"");
    const Message bye = uas.expect("BYE");
    EXPECT_EQ(bye.header("Reason"), "SIP;cause=200;text=\"bye\"");
    EXPECT_EQ(bye.header("CSeq"), "2 BYE");
    uas.reply(bye, 200);
    EXPECT_TRUE(sees("ended api-hangup"));
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, ChallengeIsAnsweredOnceAndTheAckCarriesIt) {
    const Message invite = uas.place();
    uas.reply(invite,
              407,
              {},
              "proxy",
              {{"Proxy-Authenticate", "Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\""}});
    const Message refused = uas.expect("ACK");
    EXPECT_EQ(refused.header("Via"), invite.header("Via"));
    const Message again = uas.expect("INVITE");
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again.header("CSeq"), "2 INVITE");
    EXPECT_NE(again.header("Via"), invite.header("Via"));
    EXPECT_EQ(again.tag("From"), invite.tag("From"));
    EXPECT_NE(again.header("Proxy-Authorization").find("nonce=\"n1\""), std::string::npos);
    EXPECT_EQ(again.body(), invite.body());
    uas.reply(again, 200, plain_offer());
    const Message ack = uas.expect("ACK");
    EXPECT_EQ(ack.header("CSeq"), "2 ACK");
    EXPECT_FALSE(ack.header("Proxy-Authorization").empty());
    ASSERT_TRUE(sees("accepted"));
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_EQ(uas.expect("BYE").header("CSeq"), "3 BYE");
}

TEST_F(PlacedCall, WrongPasswordIsNotTriedForEver) {
    const auto challenge = [&](const Message& invite, const std::string& nonce) {
        uas.reply(invite,
                  401,
                  {},
                  "uas",
                  {{"WWW-Authenticate", "Digest realm=\"pbx\", nonce=\"" + nonce + "\""}});
    };
    challenge(uas.place(), "n1");
    challenge(uas.expect("INVITE"), "n2");
    EXPECT_TRUE(sees("ended auth-failed"));
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, RefusalsHaveAReasonEach) {
    const std::vector<std::pair<int, std::string>> refusals{{486, "busy"},
                                                            {600, "busy"},
                                                            {603, "rejected"},
                                                            {404, "not-found"},
                                                            {480, "temporarily-away"},
                                                            {488, "media-refused"},
                                                            {403, "forbidden"},
                                                            {302, "redirected"},
                                                            {503, "upstream-failed"},
                                                            {499, "upstream-refused"}};
    for (const auto& [status, reason] : refusals) {
        const Message invite = uas.place();
        uas.reply(invite, status, {}, "uas", {{"Reason", "Q.850;cause=17"}});
        EXPECT_FALSE(uas.expect("ACK").empty()) << status;
        ASSERT_TRUE(bench.wait([&] { return !bench.events.ends.empty(); }));
        EXPECT_EQ(model::name_of(bench.events.ends.back().reason), reason) << status;
        EXPECT_NE(bench.events.ends.back().detail.find("Q.850;cause=17"), std::string::npos);
        EXPECT_EQ(bench.events.ends.back().sip_status, status);
        uas.reply(invite, status);  // its ACK was lost
        EXPECT_FALSE(uas.expect("ACK").empty()) << status;
        bench.events.ends.clear();
    }
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, NobodyAnswersAtAll) {
    ASSERT_FALSE(uas.place().empty());
    EXPECT_FALSE(uas.expect("INVITE").empty());  // timer A
    EXPECT_TRUE(sees("ended no-response"));
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, RingTimeoutCancels) {
    const Message invite = uas.place("300", 1s);
    uas.reply(invite, 180);
    const Message cancel = uas.expect("CANCEL");
    ASSERT_FALSE(cancel.empty());
    EXPECT_EQ(cancel.header("Via"), invite.header("Via"));
    EXPECT_EQ(cancel.header("CSeq"), "1 CANCEL");
    EXPECT_EQ(cancel.header("Reason"), "SIP;cause=408;text=\"No answer\"");
    uas.reply(cancel, 200);
    uas.reply(invite, 487);
    EXPECT_FALSE(uas.expect("ACK").empty());
    EXPECT_TRUE(sees("ended no-answer"));
    EXPECT_TRUE(is_empty());
    EXPECT_EQ(bench.events.ends.size(), 1U);
}

TEST_F(PlacedCall, NoCancelBeforeAProvisionalResponse) {
    const Message invite = uas.place();
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_TRUE(sees("ended api-hangup"));
    EXPECT_TRUE(uas.expect("CANCEL", 100ms).empty());
    uas.reply(invite, 100);
    const Message cancel = uas.expect("CANCEL");
    ASSERT_FALSE(cancel.empty());
    uas.reply(cancel, 200);
    uas.reply(invite, 487);
    EXPECT_FALSE(uas.expect("ACK").empty());
    EXPECT_TRUE(is_empty());
    EXPECT_EQ(bench.events.count("ended api-hangup"), 1U);
}

TEST_F(PlacedCall, ChallengeThatCrossesTheCancelIsNotAnswered) {
    const Message invite = uas.place();
    uas.reply(invite, 180);
    ASSERT_TRUE(sees("progress 180"));
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    uas.reply(uas.expect("CANCEL"), 200);
    uas.reply(invite,
              407,
              {},
              "proxy",
              {{"Proxy-Authenticate", "Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\""}});
    EXPECT_FALSE(uas.expect("ACK").empty());
    EXPECT_TRUE(is_empty());
    EXPECT_TRUE(uas.expect("INVITE", 100ms).empty());
}

TEST_F(PlacedCall, RequestsBeforeTheAnswerHaveNoDialog) {
    const Message invite = uas.place();
    uas.reply(invite, 180);
    ASSERT_TRUE(sees("progress 180"));
    uas.send("BYE sip:200@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
             std::to_string(uas.port()) +
             ";branch=z9hG4bKearly;rport\r\nMax-Forwards: 70\r\nFrom: " + invite.header("To") +
             "\r\nTo: " + invite.header("From") + "\r\nCall-ID: " + invite.header("Call-ID") +
             "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
    EXPECT_FALSE(uas.expect(481).empty());
    EXPECT_EQ(bench.stack().counters().dialogs, 1U);
}

TEST_F(PlacedCall, AnswerThatCrossesTheCancelIsEnded) {
    const Message invite = uas.place();
    uas.reply(invite, 180);
    ASSERT_TRUE(sees("progress 180"));
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup), "SIP;cause=200");
    ASSERT_FALSE(uas.expect("CANCEL").empty());
    uas.reply(invite, 200, plain_offer());
    EXPECT_FALSE(uas.expect("ACK").empty());
    const Message bye = uas.expect("BYE");
    EXPECT_EQ(bye.header("Reason"), "SIP;cause=200");
    uas.reply(bye, 200);
    EXPECT_TRUE(is_empty());
    EXPECT_FALSE(bench.events.saw("accepted"));
}

TEST_F(PlacedCall, CancelThatNobodyHonoursIsNotWaitedFor) {
    const Message invite = uas.place();
    uas.reply(invite, 180);
    ASSERT_TRUE(sees("progress 180"));
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    uas.reply(uas.expect("CANCEL"), 200);
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, OtherForksAreAcknowledgedAndEnded) {
    const Message invite = uas.place();
    uas.reply(invite, 180, {}, "one");
    uas.reply(invite, 180, {}, "two");
    uas.reply(invite, 200, plain_offer(), "one");
    EXPECT_EQ(uas.expect("ACK").tag("To"), "one");
    uas.reply(invite, 200, plain_offer(), "two");
    EXPECT_EQ(uas.expect("ACK").tag("To"), "two");
    const Message bye = uas.expect("BYE");
    EXPECT_EQ(bye.tag("To"), "two");
    uas.reply(bye, 200);
    EXPECT_EQ(bench.events.count("accepted"), 1U);
    EXPECT_EQ(bench.stack().counters().dialogs, 1U);
    uas.reply(invite, 200, plain_offer(), "two");  // its ACK was lost
    const Message again = uas.expect("ACK");
    EXPECT_EQ(again.tag("To"), "two");
}

TEST_F(PlacedCall, ReliableProvisionalResponsesGetTheirPrack) {
    const Message invite = uas.place();
    uas.reply(invite, 183, plain_offer(), "uas", {{"Require", "100rel"}, {"RSeq", "41"}});
    const Message prack = uas.expect("PRACK");
    ASSERT_FALSE(prack.empty());
    EXPECT_EQ(prack.header("RAck"), "41 1 INVITE");
    EXPECT_EQ(prack.tag("To"), "uas");
    EXPECT_EQ(prack.header("CSeq"), "2 PRACK");
    uas.reply(prack, 200);
    uas.reply(invite, 183, plain_offer(), "uas", {{"Require", "100rel"}, {"RSeq", "41"}});
    uas.reply(invite, 180, {}, "uas", {{"Require", "100rel"}, {"RSeq", "43"}});  // 42 is missing
    uas.reply(invite, 180, {}, "uas", {{"Require", "100rel"}, {"RSeq", "42"}});
    const Message second = uas.expect("PRACK");
    EXPECT_EQ(second.header("RAck"), "42 1 INVITE");
    uas.reply(second, 200);
    uas.reply(invite, 200);  // the answer came in the 183
    EXPECT_EQ(uas.expect("ACK").header("CSeq"), "1 ACK");
    EXPECT_TRUE(sees("accepted"));
    EXPECT_EQ(bench.events.count("progress 183+sdp"), 1U);
    EXPECT_EQ(bench.events.count("progress 180"), 1U);
}

TEST_F(PlacedCall, AnswerWithoutAudioIsHungUp) {
    const Message invite = uas.place();
    uas.reply(invite, 200);
    EXPECT_FALSE(uas.expect("ACK").empty());
    const Message bye = uas.expect("BYE");
    EXPECT_TRUE(bye.header("Reason").starts_with("SIP;cause=488"));
    uas.reply(bye, 200);
    EXPECT_TRUE(sees("ended media-refused"));
    EXPECT_TRUE(is_empty());
}

TEST_F(PlacedCall, SmallIntervalIsRaisedOnce) {
    const Message invite = uas.place();
    uas.reply(invite, 422, {}, "uas", {{"Min-SE", "3600"}});
    const Message again = uas.expect("INVITE");
    EXPECT_EQ(again.header("Session-Expires"), "3600");
    EXPECT_EQ(again.header("Min-SE"), "3600");
    EXPECT_EQ(again.header("Call-ID"), invite.header("Call-ID"));
    EXPECT_EQ(again.header("CSeq"), "2 INVITE");
    uas.reply(again, 422, {}, "uas", {{"Min-SE", "7200"}});
    EXPECT_TRUE(sees("ended upstream-refused"));
}

TEST_F(PlacedCall, RecordRoutesAreReversed) {
    const Message invite = uas.place();
    uas.reply(invite,
              200,
              plain_offer(),
              "uas",
              {{"Record-Route", "<sip:far.test;lr>"}, {"Record-Route", "<sip:near.test;lr>"}});
    const Message ack = uas.expect("ACK");
    EXPECT_EQ(ack.header("Route", 0), "<sip:near.test;lr>");
    EXPECT_EQ(ack.header("Route", 1), "<sip:far.test;lr>");
}

TEST_F(PlacedCall, ReferredCallSaysByWhomAndWhatItReplaces) {
    model::OutgoingCall call;
    call.id = model::CallId::make();
    call.account = "desk";
    call.to = "sip:300@pbx.test";
    call.offer = Bench::local_sdp({});
    call.referred_by = "<sip:boss@pbx.test>\r\nVia: x";
    call.replaces = "a@b;to-tag=1;from-tag=2";
    bench.stack().place_call(call);
    const Message invite = uas.expect("INVITE");
    EXPECT_EQ(invite.header("Referred-By"), "<sip:boss@pbx.test>  Via: x");
    EXPECT_EQ(invite.header("Replaces"), "a@b;to-tag=1;from-tag=2");
    ASSERT_TRUE(sees("placed"));
    EXPECT_EQ(bench.events.placed.sip_call_id, invite.header("Call-ID"));
    EXPECT_EQ(bench.events.placed.from_uri, "sip:200@pbx.test");
    EXPECT_EQ(bench.events.placed.peer, "udp:127.0.0.1:" + std::to_string(uas.port()));
    EXPECT_EQ(bench.events.placed.local_address, "127.0.0.1");
}

TEST_F(PlacedCall, WhatCannotBeSentIsRefused) {
    model::OutgoingCall call;
    call.offer = Bench::local_sdp({});
    const auto place = [&](const std::string& account, const std::string& to) {
        call.id = model::CallId::make();
        call.account = account;
        call.to = to;
        bench.events.ends.clear();
        bench.stack().place_call(call);
        return bench.wait([&] { return !bench.events.ends.empty(); });
    };
    ASSERT_TRUE(place("nobody", "300"));
    EXPECT_EQ(bench.events.ends.back().reason, model::EndReason::AccountDown);
    for (const char* to : {"", "sip:", "300\r\nX: y", "<sip:300@x>", "http://x", "a b\"c"}) {
        ASSERT_TRUE(place("desk", to)) << to;
        EXPECT_EQ(bench.events.ends.back().reason, model::EndReason::NotFound) << to;
    }
    call.headers = {{"Via", "x"}};
    ASSERT_TRUE(place("desk", "300"));
    EXPECT_EQ(bench.events.ends.back().reason, model::EndReason::InternalError);
    call.headers = {{"X-A", "b\r\nVia: c"}};
    ASSERT_TRUE(place("desk", "300"));
    EXPECT_TRUE(uas.is_silent(20ms));
    EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace offhook::test
