// What we change in a call that is up, and what they change by UPDATE.
#include <gtest/gtest.h>

#include "scripted_uas.h"

namespace offhook::test {
namespace {

void quick(signalling::sip::SipSettings& settings) {
    settings.t1 = 20ms;
    settings.t2 = 80ms;
    settings.t4 = 100ms;
    settings.session_expires = 0s;
}

model::LocalSdp held(std::uint64_t version = 2) {
    model::LocalSdp sdp = Bench::local_sdp({}, version);
    sdp.direction = model::Direction::SendOnly;
    return sdp;
}

/// A call that came in; it is we who change it.
class Incoming : public testing::Test {
protected:
    void begin(const std::string& allow = "INVITE, ACK, BYE, UPDATE") {
        bench.answer_all();
        uac.extra = "Allow: " + allow + "\r\n";
        ASSERT_FALSE(uac.call(plain_offer()).empty());
        ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
        uac.extra.clear();
    }
    [[nodiscard]] const model::CallId& id() const { return bench.events.calls.at(0).id; }
    bool sees(std::string_view line) {
        return bench.wait([&] { return bench.events.saw(line); });
    }
    /// 200 with `sdp` to a request of the stack.
    void answer(const Message& request, std::string_view sdp, int status = 200) {
        std::string text = "SIP/2.0 " + std::to_string(status) + " Whatever\r\n";
        for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"})
            text += std::string(name) + ": " + request.header(name) + "\r\n";
        text += "Contact: <sip:alice@127.0.0.1:" + std::to_string(uac.local_port()) + ">\r\n" +
                std::exchange(uac.extra, {});
        if (!sdp.empty()) text += "Content-Type: application/sdp\r\n";
        uac.send(text + "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" +
                 std::string(sdp));
    }

    Bench bench{quick};
    ScriptedUac uac{bench, ScriptedUac::Over::Udp};
};

TEST_F(Incoming, HoldAndResumeByUs) {
    begin();
    bench.stack().reoffer(id(), held());
    const Message invite = uac.expect("INVITE");
    ASSERT_FALSE(invite.empty());
    EXPECT_NE(invite.body().find("a=sendonly\r\n"), std::string::npos);
    EXPECT_EQ(invite.tag("From"), uac.to_tag);
    EXPECT_EQ(invite.header("Via").find("received"), std::string::npos);
    answer(invite, plain_offer(2, "recvonly"));
    const Message ack = uac.expect("ACK");
    EXPECT_EQ(ack.header("CSeq"), "1 ACK");
    ASSERT_TRUE(sees("reoffer_done 200"));
    EXPECT_EQ(bench.events.last_sdp->audio.direction, model::Direction::RecvOnly);
    answer(invite, plain_offer(2, "recvonly"));  // the ACK was lost
    EXPECT_EQ(uac.expect("ACK").text, ack.text);
    bench.stack().reoffer(id(), Bench::local_sdp({}, 3));
    const Message resume = uac.expect("INVITE");
    EXPECT_EQ(resume.header("CSeq"), "2 INVITE");
    answer(resume, plain_offer(3));
    EXPECT_FALSE(uac.expect("ACK").empty());
    EXPECT_TRUE(bench.wait([&] { return bench.events.count("reoffer_done 200") == 2; }));
}

TEST_F(Incoming, RefusedHoldLeavesTheCall) {
    begin();
    bench.stack().reoffer(id(), held());
    const Message invite = uac.expect("INVITE");
    answer(invite, {}, 488);
    EXPECT_FALSE(uac.expect("ACK").empty());
    ASSERT_TRUE(sees("reoffer_done 488"));
    // A refresh of theirs is answered with what was in force before.
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(uac.expect(200).body().find("a=sendonly"), std::string::npos);
}

TEST_F(Incoming, UnknownCallEnds) {
    begin();
    bench.stack().reoffer(id(), held());
    answer(uac.expect("INVITE"), {}, 481);
    EXPECT_TRUE(sees("ended dialog-lost"));
}

TEST_F(Incoming, SilenceIsReportedAndTheCallGoesOn) {
    begin();
    bench.stack().reoffer(id(), held());
    EXPECT_TRUE(sees("reoffer_done 408"));
    EXPECT_EQ(bench.events.ends.size(), 0U);
    EXPECT_EQ(bench.stack().counters().dialogs, 1U);
}

TEST_F(Incoming, RingingForEverIsCancelled) {
    begin();
    bench.stack().reoffer(id(), held());
    const Message invite = uac.expect("INVITE");
    answer(invite, {}, 180);
    const Message cancel = uac.expect("CANCEL");
    ASSERT_FALSE(cancel.empty());
    answer(cancel, {}, 200);
    EXPECT_TRUE(sees("reoffer_done 408"));
    bench.stack().reoffer(id(), held(3));
    EXPECT_FALSE(uac.expect("INVITE").empty());
}

TEST_F(Incoming, OurOfferWaitsForTheirs) {
    begin();
    bench.events.when_reoffer = {};
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    ASSERT_TRUE(sees("reoffer"));
    bench.stack().reoffer(id(), held(5));
    EXPECT_TRUE(uac.expect("INVITE", 50ms).empty());
    bench.stack().answer(
        id(), Bench::local_sdp(bench.events.last_sdp, 4), bench.events.last_exchange);
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("ACK"));
    EXPECT_NE(uac.expect("INVITE").body().find(" 5 IN IP4"), std::string::npos);
}

TEST_F(Incoming, TheirOfferDuringOursIs491) {
    begin();
    bench.stack().reoffer(id(), held());
    const Message invite = uac.expect("INVITE");
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(491).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.send(uac.request("UPDATE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(491).empty());
    uac.send(uac.request("UPDATE"));  // no offer: no glare
    EXPECT_FALSE(uac.expect(200).empty());
    answer(invite, plain_offer(2, "recvonly"));
    EXPECT_TRUE(sees("reoffer_done 200"));
    EXPECT_FALSE(bench.events.saw("reoffer"));
}

TEST_F(Incoming, GlareIsTriedOnceMore) {
    begin();
    bench.stack().reoffer(id(), held());
    answer(uac.expect("INVITE"), {}, 491);
    const Message again = uac.expect("INVITE");
    ASSERT_FALSE(again.empty());
    EXPECT_NE(again.body().find("a=sendonly"), std::string::npos);
    EXPECT_EQ(again.header("CSeq"), "2 INVITE");
    answer(again, {}, 491);
    EXPECT_TRUE(sees("reoffer_done 491"));
    EXPECT_EQ(bench.events.lines.back(), "reoffer_done 491");
}

TEST_F(Incoming, UpdateWithAnOfferIsAReoffer) {
    begin();
    uac.send(uac.request("UPDATE", plain_offer(2, "sendonly")));
    const Message ok = uac.expect(200);
    EXPECT_NE(ok.body().find("a=recvonly\r\n"), std::string::npos);
    EXPECT_FALSE(ok.header("Contact").empty());
    EXPECT_EQ(bench.events.count("reoffer"), 1U);
    // Nothing waits for an ACK after it.
    uac.send(uac.request("UPDATE", plain_offer(3)));
    EXPECT_FALSE(uac.expect(200).empty());
    uac.send(uac.request("UPDATE", plain_offer(3)));  // the same again: asks for nothing
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_EQ(bench.events.count("reoffer"), 2U);
    EXPECT_EQ(bench.events.count("confirmed"), 1U);
}

TEST_F(Incoming, UpdateMovesTheTargetAndCanBeRefused) {
    begin();
    ScriptedUac moved(bench, ScriptedUac::Over::Udp);
    uac.contact = "<sip:alice@127.0.0.1:" + std::to_string(moved.local_port()) + ">";
    uac.send(uac.request("UPDATE"));
    const Message ok = uac.expect(200);
    EXPECT_TRUE(ok.body().empty());
    bench.events.when_reoffer =
        [&](const model::CallId& call, const auto& /*offer*/, std::uint32_t exchange) {
            bench.stack().reject(call, 488, "", std::nullopt, exchange);
        };
    uac.send(uac.request("UPDATE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(488).empty());
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_FALSE(moved.expect("BYE").empty());
}

TEST_F(Incoming, SecondUpdateWhileOneWaitsIs500) {
    begin();
    bench.events.when_reoffer = {};
    uac.send(uac.request("UPDATE", plain_offer(2, "sendonly")));
    ASSERT_TRUE(sees("reoffer"));
    uac.send(uac.request("UPDATE", plain_offer(3)));
    const Message busy = uac.expect(500);
    EXPECT_EQ(busy.header("Retry-After"), "3");
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    --uac.cseq;
    EXPECT_FALSE(uac.expect(487).empty());
    EXPECT_FALSE(uac.expect("BYE").empty());
}

TEST_F(Incoming, UpdateBeforeTheAnswer) {
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(uac.receive().status(), 100);
    ASSERT_TRUE(sees("incoming"));
    bench.stack().ring(id());
    uac.learn(uac.expect(180));
    uac.send(uac.request("UPDATE", plain_offer(2)));
    EXPECT_FALSE(uac.expect(500).empty());
    uac.send(uac.request("UPDATE"));
    EXPECT_FALSE(uac.expect(200).empty());
}

TEST(PlacedRenegotiation, GlareWaitsLongerAndByesEndIt) {
    Bench bench(quick);
    ScriptedUas uas(bench);
    const Message invite = uas.call();
    bench.stack().reoffer(uas.id(), held());
    const Message offer = uas.expect("INVITE");
    const auto begin = std::chrono::steady_clock::now();
    uas.reply(offer, 491);
    const Message again = uas.expect("INVITE");
    ASSERT_FALSE(again.empty());
    // RFC 3261 §14.1: at least 2.1 s, that is 4.2 T1.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 80ms);
    uas.request(invite, "BYE");
    EXPECT_FALSE(uas.expect(200).empty());
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended callee-hangup"); }));
}

TEST(PlacedRenegotiation, TheirHoldInACallOfOurs) {
    Bench bench(quick);
    ScriptedUas uas(bench);
    bench.answer_all();
    const Message invite = uas.call();
    uas.request(invite, "INVITE", "application/sdp", plain_offer(2, "sendonly"));
    const Message ok = uas.expect(200);
    EXPECT_NE(ok.body().find("a=recvonly"), std::string::npos);
    uas.acknowledge(invite);
    EXPECT_EQ(bench.events.count("reoffer"), 1U);
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    EXPECT_FALSE(uas.expect("BYE").empty());
}

}  // namespace
}  // namespace offhook::test
