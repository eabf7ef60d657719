// What comes with a call and beside it: facts, reliable ringing, INFO, MESSAGE, Reason; and dialogs
// whose flow is lost and found.
#include <gtest/gtest.h>

#include <memory>

#include "scripted_uas.h"
#include "signalling/sip/call_info.h"
#include "signalling/sip/peer_reasons.h"

namespace offhook::test {
namespace {

void quick(signalling::sip::SipSettings& settings) {
    settings.t1 = 20ms;
    settings.t2 = 80ms;
    settings.t4 = 100ms;
}

class CallRequest : public testing::Test {
protected:
    void begin() {
        bench.answer_all();
        ASSERT_FALSE(uac.call(plain_offer()).empty());
        ASSERT_TRUE(sees("confirmed"));
    }
    [[nodiscard]] const model::CallId& id() const { return bench.events.calls.at(0).id; }
    bool sees(std::string_view line) {
        return bench.wait([&] { return bench.events.saw(line); });
    }
    void send_typed(std::string_view method, const std::string& type, const std::string& body) {
        std::string text = uac.request(method, body);
        if (const auto at = text.find("application/sdp"); at != std::string::npos)
            text.replace(at, 15, type);
        uac.send(text);
    }

    Bench bench{quick};
    ScriptedUac uac{bench, ScriptedUac::Over::Udp};
};

TEST_F(CallRequest, FactsOfAnInvite) {
    uac.extra =
        "P-Asserted-Identity: \"A, B\" <sip:+1555@pbx.test>, <tel:+1555>\r\n"
        "Diversion: <sip:100@pbx.test;a=b,c>;reason=no-answer\r\n"
        "Diversion: <sip:101@pbx.test>\r\n"
        "History-Info: <sip:1@a.test>;index=1, <sip:2@a.test>;index=1.1\r\n"
        "X-Queue: sales\r\nP-rc-api-ids: party-id=p1\r\nAlert-Info: <http://x.test/ring>\r\n"
        "Call-Info: <sip:x.test>;answer-after=0\r\nX-Long: " +
        std::string(500, 'x') + "\r\nPriority: urgent\r\n";
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    const model::CallFacts& facts = bench.events.calls.at(0).facts;
    EXPECT_EQ(facts.asserted_identity, "\"A, B\" <sip:+1555@pbx.test>");
    EXPECT_EQ(facts.diversion,
              (std::vector<std::string>{"<sip:100@pbx.test;a=b,c>;reason=no-answer",
                                        "<sip:101@pbx.test>"}));
    EXPECT_EQ(facts.history,
              (std::vector<std::string>{"<sip:1@a.test>;index=1", "<sip:2@a.test>;index=1.1"}));
    const auto value = [&](std::string_view name) {
        for (const auto& [each, text] : facts.headers)
            if (each.size() == name.size() && strcasecmp(each.c_str(), name.data()) == 0)
                return text;
        return std::string("(absent)");
    };
    EXPECT_EQ(value("X-Queue"), "sales");
    EXPECT_EQ(value("P-rc-api-ids"), "party-id=p1");
    EXPECT_EQ(value("Alert-Info"), "<http://x.test/ring>");
    EXPECT_EQ(value("X-Long").size(), 256U);
    EXPECT_EQ(value("Priority"), "(absent)");
    EXPECT_EQ(value("P-Asserted-Identity"), "(absent)");
}

TEST_F(CallRequest, FactsAreBounded) {
    for (int i = 0; i < 30; ++i) {
        uac.extra += "X-" + std::to_string(i) + ": y\r\nDiversion: <sip:" + std::to_string(i) +
                     "@a.test>\r\n";
    }
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    EXPECT_EQ(bench.events.calls.at(0).facts.headers.size(), 16U);
    EXPECT_EQ(bench.events.calls.at(0).facts.diversion.size(), 8U);
}

TEST_F(CallRequest, RequiredReliableRinging) {
    uac.extra = "Require: 100rel\r\n";
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    bench.stack().ring(id());
    const Message ringing = uac.expect(180);
    EXPECT_EQ(ringing.header("Require"), "100rel");
    EXPECT_EQ(ringing.header("RSeq"), "1");
    EXPECT_EQ(uac.expect(180).text, ringing.text);  // repeated until the PRACK
    uac.learn(ringing);
    const int invite = static_cast<int>(uac.cseq);
    uac.extra = "RAck: 2 " + std::to_string(invite) + " INVITE\r\n";
    uac.send(uac.request("PRACK"));
    EXPECT_FALSE(uac.expect(481).empty());
    uac.extra = "RAck: 1 " + std::to_string(invite) + " INVITE\r\n";
    uac.send(uac.request("PRACK"));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.extra = "RAck: 1 " + std::to_string(invite) + " INVITE\r\n";
    uac.send(uac.request("PRACK"));  // acknowledged already
    EXPECT_FALSE(uac.expect(481).empty());
    EXPECT_TRUE(uac.is_silent(60ms));
    bench.stack().answer(id(), Bench::local_sdp(bench.events.calls.at(0).offer));
    uac.cseq = static_cast<std::uint32_t>(invite);
    EXPECT_FALSE(uac.expect(200).empty());
}

TEST_F(CallRequest, RingingWithoutPrackEndsTheInvite) {
    uac.extra = "Require: 100rel\r\n";
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    bench.stack().ring(id());
    EXPECT_FALSE(uac.expect(504).empty());
    uac.send(uac.request("ACK", {}, true));
    EXPECT_TRUE(sees("ended ack-timeout"));
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

TEST_F(CallRequest, AnswerWithoutWaitingForThePrack) {
    uac.extra = "Require: 100rel\r\n";
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    bench.stack().ring(id());
    EXPECT_FALSE(uac.expect(180).empty());
    bench.stack().answer(id(), Bench::local_sdp(bench.events.calls.at(0).offer));
    uac.learn(uac.expect(200));
    uac.send(uac.request("ACK"));
    EXPECT_TRUE(sees("confirmed"));
    EXPECT_TRUE(uac.is_silent(100ms));
    uac.extra = "RAck: 1 1 INVITE\r\n";
    uac.send(uac.request("PRACK"));  // it crossed our 200
    EXPECT_FALSE(uac.expect(200).empty());
}

TEST_F(CallRequest, OfferlessReliableCallerGetsOurOfferInThe200Only) {
    uac.extra = "Require: 100rel\r\n";
    uac.send(uac.request("INVITE"));
    ASSERT_TRUE(sees("incoming"));
    bench.stack().ring(id());
    bench.stack().answer(id(), Bench::local_sdp({}));
    EXPECT_EQ(uac.receive().status(), 100);
    EXPECT_EQ(uac.receive().status(), 200);
}

TEST_F(CallRequest, CancelBecauseSomebodyElseAnswered) {
    uac.send(uac.request("INVITE", plain_offer()));
    ASSERT_TRUE(sees("incoming"));
    uac.extra = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    uac.send(uac.request("CANCEL", {}, true));
    EXPECT_TRUE(sees("ended answered-elsewhere"));
}

struct ReasonCase {
    const char* header;
    std::vector<model::PeerReason> reasons;
};

TEST(PeerReasons, WhatAHeaderSays) {
    using signalling::sip::parse_reasons;
    for (const ReasonCase& c : std::vector<ReasonCase>{
             {"SIP;cause=480", {{"SIP", 480, ""}}},
             {"SIP ;cause=480 ;text=\"no media\"", {{"SIP", 480, "no media"}}},
             {"Q.850;cause=16;text=\"a, b; c\",SIP;cause=200",
              {{"Q.850", 16, "a, b; c"}, {"SIP", 200, ""}}},
             {"SIP;text=\"a \\\"b\\\"\"", {{"SIP", 0, "a \"b\""}}},
             {"SIP;CAUSE=486;TEXT=busy", {{"SIP", 486, "busy"}}},
             {"preemption", {{"preemption", 0, ""}}},
             {"SIP;cause=99999999999", {{"SIP", 0, ""}}},
             {"SIP;cause=-1", {{"SIP", 0, ""}}},
             {"SIP;text=\"\x1b[31m", {{"SIP", 0, "\"\\x1B[31m"}}},
             {"", {}},
             {",;,", {}},
             {"a,b,c,d,e", {{"a", 0, ""}, {"b", 0, ""}, {"c", 0, ""}, {"d", 0, ""}}}}) {
        const auto reasons = parse_reasons(c.header);
        ASSERT_EQ(reasons.size(), c.reasons.size()) << c.header;
        for (std::size_t i = 0; i < reasons.size(); ++i) {
            EXPECT_EQ(reasons[i].protocol, c.reasons[i].protocol) << c.header;
            EXPECT_EQ(reasons[i].cause, c.reasons[i].cause) << c.header;
            EXPECT_EQ(reasons[i].text, c.reasons[i].text) << c.header;
        }
    }
    EXPECT_LE(parse_reasons("SIP;text=" + std::string(5000, 'x'))[0].text.size(), 128U);
}

TEST(InfoDigit, AllForms) {
    using signalling::sip::parse_info_digit;
    EXPECT_EQ(parse_info_digit("Signal=5\r\nDuration=160\r\n", true).digit, '5');
    EXPECT_EQ(parse_info_digit("Signal= *\nDuration= 250", true).duration_ms, 250U);
    EXPECT_EQ(parse_info_digit("signal=11\r\n", true).digit, '#');
    EXPECT_EQ(parse_info_digit("Signal=d", true).digit, 'D');
    EXPECT_EQ(parse_info_digit("Duration=99999999", true).duration_ms, 10'000U);
    EXPECT_EQ(parse_info_digit(" 7\r\n", false).digit, '7');
    EXPECT_EQ(parse_info_digit("10", false).digit, '*');
    for (const char* none : {"", "x", "55", "\xff"}) {
        EXPECT_EQ(parse_info_digit(none, false).digit, 0) << none;
        EXPECT_EQ(parse_info_digit("Signal=" + std::string(none), true).digit, 0) << none;
    }
}

TEST_F(CallRequest, InfoIn) {
    begin();
    send_typed("INFO", "application/dtmf", "9");
    EXPECT_FALSE(uac.expect(200).empty());
    send_typed("INFO", "application/x-rc", std::string(17'000, 'x'));
    EXPECT_FALSE(uac.expect(413).empty());
    EXPECT_TRUE(sees("digit 9 160"));
}

TEST_F(CallRequest, InfoOutOneDigitAfterTheOther) {
    begin();
    bench.stack().send_info_digits(id(), "1x#");
    const Message first = uac.expect("INFO");
    EXPECT_EQ(first.header("Content-Type"), "application/dtmf-relay");
    EXPECT_EQ(first.body(), "Signal=1\r\nDuration=160\r\n");
    const Message repeated = uac.expect("INFO");
    EXPECT_EQ(repeated.text, first.text);  // nothing else before its answer
    uac.accept(first);
    Message second = uac.expect("INFO");
    if (second.text == first.text) second = uac.expect("INFO");
    EXPECT_EQ(second.body(), "Signal=#\r\nDuration=160\r\n");
    uac.accept(second);
    bench.stack().send_info(id(), "application/x-rc", "hello");
    Message other = uac.expect("INFO");
    while (other.text == second.text) other = uac.expect("INFO");
    EXPECT_EQ(other.header("Content-Type"), "application/x-rc");
    EXPECT_EQ(other.body(), "hello");
}

TEST_F(CallRequest, MessagesIn) {
    uac.extra = "X-Tag: 1\r\n";
    send_typed("MESSAGE", "text/html", "<b>outside</b>");
    EXPECT_FALSE(uac.expect(200).empty());
    ASSERT_TRUE(sees("message <b>outside</b>"));
    const model::TextMessage& outside = bench.events.messages.at(0);
    EXPECT_TRUE(outside.call.empty());
    EXPECT_EQ(outside.content_type, "text/html");
    EXPECT_EQ(outside.from, "sip:alice@127.0.0.1");
    ASSERT_EQ(outside.headers.size(), 1U);
    EXPECT_EQ(outside.headers.at(0).second, "1");
    uac.new_call();
    begin();
    send_typed("MESSAGE", "text/plain", "inside");
    EXPECT_FALSE(uac.expect(200).empty());
    ASSERT_TRUE(sees("message inside"));
    EXPECT_EQ(bench.events.messages.at(1).call, id());
    send_typed("MESSAGE", "text/plain", std::string(17'000, 'x'));
    EXPECT_FALSE(uac.expect(413).empty());
}

TEST_F(CallRequest, MessagesOut) {
    ScriptedUas uas(bench);
    model::TextMessage text;
    text.account = "desk";
    text.to = "300";
    text.body = "hello";
    text.headers = {{"X-Kind", "note"}};
    bench.stack().send_message(7, text);
    const Message sent = uas.expect("MESSAGE");
    EXPECT_EQ(sent.request_uri(), "sip:300@pbx.test");
    EXPECT_EQ(sent.header("X-Kind"), "note");
    EXPECT_EQ(sent.header("Content-Type"), "text/plain");
    EXPECT_EQ(sent.body(), "hello");
    EXPECT_TRUE(sent.header("Contact").empty());  // RFC 3428 §4
    uas.reply(sent,
              407,
              {},
              "x",
              {{"Proxy-Authenticate", "Digest realm=\"pbx\", nonce=\"n\", qop=\"auth\""}});
    const Message again = uas.expect("MESSAGE");
    EXPECT_EQ(again.header("CSeq"), "2 MESSAGE");
    EXPECT_FALSE(again.header("Proxy-Authorization").empty());
    uas.reply(again, 202);
    EXPECT_TRUE(sees("message_done 7 202"));

    text.headers = {{"Call-ID", "mine"}};
    bench.stack().send_message(8, text);
    EXPECT_TRUE(sees("message_done 8 400"));
    text.headers = {{"X-A", "b\r\nVia: c"}};
    bench.stack().send_message(9, text);
    EXPECT_TRUE(sees("message_done 9 400"));
    text.headers.clear();
    text.content_type = "text/plain\r\nX: y";
    bench.stack().send_message(10, text);
    EXPECT_TRUE(sees("message_done 10 400"));
    text.content_type = "text/plain";
    text.account = "nobody";
    bench.stack().send_message(11, text);
    EXPECT_TRUE(sees("message_done 11 503"));
    text.account = "desk";
    bench.stack().send_message(12, text);
    EXPECT_TRUE(sees("message_done 12 408"));
    text.call = model::CallId::make();
    bench.stack().send_message(13, text);
    EXPECT_TRUE(sees("message_done 13 481"));
}

TEST_F(CallRequest, MessageOutInACall) {
    begin();
    model::TextMessage text;
    text.call = id();
    text.body = "inside";
    bench.stack().send_message(3, text);
    const Message sent = uac.expect("MESSAGE");
    EXPECT_EQ(sent.tag("To"), uac.from_tag);
    uac.accept(sent);
    EXPECT_TRUE(sees("message_done 3 200"));
}

TEST_F(CallRequest, CallOnAnAccountKnowsItAndFollowsItsFlow) {
    bench.answer_all();
    ScriptedUas uas(bench);
    // A call from the PBX on the account's flow.
    const std::string here = "127.0.0.1:" + std::to_string(uas.port());
    const std::string invite =
        "INVITE sip:200@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP " + here +
        ";branch=z9hG4bKin1\r\nMax-Forwards: 70\r\nFrom: <sip:300@pbx.test>;tag=in\r\nTo: "
        "<sip:200@pbx.test>\r\nCall-ID: in1\r\nCSeq: 1 INVITE\r\nContact: <sip:300@" +
        here + ">\r\nAllow: INVITE, UPDATE\r\nContent-Type: application/sdp\r\nContent-Length: " +
        std::to_string(plain_offer().size()) + "\r\n\r\n" + plain_offer();
    uas.send(invite);
    const Message ok = uas.expect(200);
    ASSERT_FALSE(ok.empty());
    EXPECT_EQ(bench.events.calls.at(0).account, "desk");
    EXPECT_TRUE(ok.header("Contact").starts_with("<sip:200@127.0.0.1:")) << ok.header("Contact");
    uas.send("ACK sip:200@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP " + here +
             ";branch=z9hG4bKin2\r\nFrom: <sip:300@pbx.test>;tag=in\r\nTo: "
             "<sip:200@pbx.test>;tag=" +
             ok.tag("To") + "\r\nCall-ID: in1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(sees("confirmed"));
    // The account gets another flow: the peer is told the new Contact on it.
    ScriptedUas elsewhere(bench);
    const Message update = elsewhere.expect("UPDATE");
    ASSERT_FALSE(update.empty());
    EXPECT_EQ(update.header("Call-ID"), "in1");
    EXPECT_NE(update.header("Contact"), ok.header("Contact"));
    EXPECT_EQ(update.request_uri(), "sip:300@" + here);
    elsewhere.reply(update, 200);
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_FALSE(elsewhere.expect("BYE").empty());
}

TEST_F(CallRequest, ForksToTwoAccountsAreTwoCallsToOneAreOne) {
    ScriptedUas desk(bench);
    ScriptedUas lobby(bench, "lobby");
    const auto invite = [](const std::string& branch, std::uint16_t port) {
        const std::string here = "127.0.0.1:" + std::to_string(port);
        return "INVITE sip:200@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP " + here + ";branch=z9hG4bK" +
               branch +
               "\r\nMax-Forwards: 70\r\nFrom: <sip:300@pbx.test>;tag=in\r\nTo: "
               "<sip:200@pbx.test>\r\nCall-ID: forked\r\nCSeq: 1 INVITE\r\nContact: <sip:300@" +
               here + ">\r\nContent-Length: 0\r\n\r\n";
    };
    desk.send(invite("a", desk.port()));
    EXPECT_EQ(desk.receive().status(), 100);
    lobby.send(invite("b", lobby.port()));
    EXPECT_EQ(lobby.receive().status(), 100);
    desk.send(invite("c", desk.port()));  // RFC 3261 §8.2.2.2
    EXPECT_EQ(desk.receive().status(), 482);
    ASSERT_TRUE(bench.wait([&] { return bench.events.count("incoming") == 2; }));
    EXPECT_EQ(bench.events.calls.at(0).account, "desk");
    EXPECT_EQ(bench.events.calls.at(1).account, "lobby");
}

TEST(LostFlow, ByeThatNobodyHeardIsSentOnTheNextOne) {
    // Nobody answers for 64*T1 = 1.9 s; the account leaves its dead registrar after 2 s.
    Bench bench([](auto& settings) {
        settings.t1 = 30ms;
        settings.t2 = 120ms;
    });
    auto lost = std::make_unique<ScriptedUas>(bench);
    lost->call();
    const model::CallId call = lost->id();
    lost.reset();
    bench.stack().hangup(call, model::ended(model::EndReason::ApiHangup), "SIP;cause=200");
    ScriptedUas found(bench);
    const Message bye = found.expect("BYE");
    ASSERT_FALSE(bye.empty());
    EXPECT_EQ(bye.header("Reason"), "SIP;cause=200");
    found.reply(bye, 481);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
    EXPECT_EQ(bench.events.count("ended api-hangup"), 1U);
}

}  // namespace
}  // namespace offhook::test
