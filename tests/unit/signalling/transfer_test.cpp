// REFER both ways, and INVITE with Replaces.
#include <gtest/gtest.h>

#include "scripted_uas.h"
#include "signalling/sip/refer_target.h"

namespace offhook::test {
namespace {

using namespace signalling::sip;

TEST(ReferTarget, ReadsReferTo) {
    EXPECT_EQ(parse_refer_to("<sip:bob@b.test>")->uri, "sip:bob@b.test");
    EXPECT_EQ(parse_refer_to("\"Bob\" <sip:bob@b.test;user=phone>;x=y")->uri,
              "sip:bob@b.test;user=phone");
    const auto attended =
        parse_refer_to("<sip:bob@b.test?X=1&Replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df>");
    EXPECT_EQ(attended->uri, "sip:bob@b.test");
    EXPECT_EQ(attended->replaces, "a@b;to-tag=t;from-tag=f");
    EXPECT_EQ(parse_refer_to("sip:b.test")->uri, "sip:b.test");
    EXPECT_FALSE(parse_refer_to(""));
    EXPECT_FALSE(parse_refer_to("<>"));
    EXPECT_FALSE(parse_refer_to("<sip:" + std::string(3000, 'a') + "@b>"));
}

TEST(ReferTarget, WritesWhatItReads) {
    Dialog dialog;
    dialog.call_id = "c&d@e?f";
    dialog.local_tag = "loc";
    dialog.remote_tag = "rem";
    const std::string value = refer_to_value("sip:x@y.test", replaces_value(dialog));
    const auto read = parse_refer_to(value);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->replaces, "c&d@e?f;to-tag=rem;from-tag=loc");
    const auto replaces = parse_replaces(read->replaces);
    ASSERT_TRUE(replaces);
    EXPECT_EQ(replaces->call_id, dialog.call_id);
    EXPECT_EQ(replaces->local_tag, "rem");
    EXPECT_EQ(replaces->remote_tag, "loc");
    EXPECT_TRUE(parse_replaces("a;to-tag=1;from-tag=2;early-only")->is_early_only);
    EXPECT_FALSE(parse_replaces("a;from-tag=2"));
    EXPECT_FALSE(parse_replaces(""));
}

void quick(SipSettings& settings) {
    settings.t1 = 20ms;
    settings.t2 = 80ms;
    settings.t4 = 100ms;
}

class Transfer : public testing::Test {
protected:
    void SetUp() override {
        bench.answer_all();
        ASSERT_FALSE(uac.call(plain_offer()).empty());
        ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    }
    [[nodiscard]] const model::CallId& id() const { return bench.events.calls.at(0).id; }
    bool sees(std::string_view line) {
        return bench.wait([&] { return bench.events.saw(line); });
    }
    void refer(const std::string& headers) {
        uac.extra = headers;
        uac.send(uac.request("REFER"));
    }
    /// The next NOTIFY, accepted.
    Message notified() {
        Message notify = uac.expect("NOTIFY");
        uac.accept(notify);
        return notify;
    }
    /// A NOTIFY of theirs about our REFER.
    void report(const std::string& sipfrag, const std::string& state, const std::string& event) {
        uac.extra = "Event: " + event + "\r\nSubscription-State: " + state + "\r\n";
        std::string text = uac.request("NOTIFY", sipfrag);
        const auto at = text.find("application/sdp");
        if (at != std::string::npos) text.replace(at, 15, "message/sipfrag");
        uac.send(text);
    }

    Bench bench{quick};
    ScriptedUac uac{bench, ScriptedUac::Over::Udp};
};

TEST_F(Transfer, TheirsIsReportedUntilThePlacedCallIsAnswered) {
    ScriptedUas uas(bench);
    refer("Refer-To: <sip:300@pbx.test>\r\nReferred-By: <sip:boss@pbx.test>\r\n");
    EXPECT_FALSE(uac.expect(202).empty());
    const Message trying = notified();
    EXPECT_TRUE(trying.header("Event").starts_with("refer"));
    EXPECT_TRUE(trying.header("Subscription-State").starts_with("active"));
    EXPECT_EQ(trying.header("Content-Type"), "message/sipfrag; version=2.0");
    EXPECT_EQ(trying.body(), "SIP/2.0 100 Trying\r\n");
    ASSERT_TRUE(sees("refer sip:300@pbx.test"));
    EXPECT_EQ(bench.events.transfers.at(0).referred_by, "<sip:boss@pbx.test>");
    const Message invite = uas.place("sip:300@pbx.test");
    bench.stack().accept_transfer(id(), uas.id());
    uas.reply(invite, 180);
    EXPECT_EQ(notified().body(), "SIP/2.0 180 Ringing\r\n");
    uas.reply(invite, 200, plain_offer());
    const Message done = notified();
    EXPECT_EQ(done.body(), "SIP/2.0 200 OK\r\n");
    EXPECT_TRUE(done.header("Subscription-State").starts_with("terminated"));
    // The call itself goes on until somebody ends it, and may be asked again.
    uac.send(uac.request("BYE"));
    EXPECT_FALSE(uac.expect(200).empty());
}

TEST_F(Transfer, TheirsWhosePlacedCallFails) {
    ScriptedUas uas(bench);
    refer("Refer-To: <sip:300@pbx.test>\r\n");
    EXPECT_EQ(notified().body(), "SIP/2.0 100 Trying\r\n");
    const Message invite = uas.place();
    bench.stack().accept_transfer(id(), uas.id());
    uas.reply(invite, 100);
    uas.reply(invite, 486);
    EXPECT_EQ(notified().body(), "SIP/2.0 486 Busy Here\r\n");
    refer("Refer-To: <sip:301@pbx.test>\r\n");
    EXPECT_FALSE(uac.expect(202).empty());
    EXPECT_EQ(notified().body(), "SIP/2.0 100 Trying\r\n");
    bench.stack().accept_transfer(id(), model::CallId::make());  // it was never placed
    EXPECT_EQ(notified().body(), "SIP/2.0 503 Service Unavailable\r\n");
}

TEST_F(Transfer, TheirsWhosePlacedCallIsHungUp) {
    ScriptedUas uas(bench);
    refer("Refer-To: <sip:300@pbx.test>\r\n");
    EXPECT_EQ(notified().body(), "SIP/2.0 100 Trying\r\n");
    const Message invite = uas.place();
    bench.stack().accept_transfer(id(), uas.id());
    uas.reply(invite, 180);
    EXPECT_EQ(notified().body(), "SIP/2.0 180 Ringing\r\n");
    bench.stack().hangup(uas.id(), model::ended(model::EndReason::ApiHangup));
    const Message done = notified();
    EXPECT_EQ(done.body(), "SIP/2.0 487 Request Terminated\r\n");
    EXPECT_TRUE(done.header("Subscription-State").starts_with("terminated"));
    refer("Refer-To: <sip:301@pbx.test>\r\n");  // and may be asked again
    EXPECT_FALSE(uac.expect(202).empty());
}

TEST_F(Transfer, TheirsIsRefusedByPolicy) {
    refer("Refer-To: <sip:300@pbx.test>\r\n");
    EXPECT_EQ(notified().body(), "SIP/2.0 100 Trying\r\n");
    refer("Refer-To: <sip:301@pbx.test>\r\n");  // one at a time
    EXPECT_FALSE(uac.expect(491).empty());
    bench.stack().refuse_transfer(id(), 603);
    const Message refused = notified();
    EXPECT_EQ(refused.body(), "SIP/2.0 603 Decline\r\n");
    EXPECT_TRUE(refused.header("Subscription-State").starts_with("terminated"));
}

TEST_F(Transfer, TheirsWithoutSubscription) {
    refer("Refer-To: <sip:300@pbx.test>\r\nRefer-Sub: false\r\nSupported: norefersub\r\n");
    EXPECT_EQ(uac.expect(202).header("Refer-Sub"), "false");
    ASSERT_TRUE(sees("refer sip:300@pbx.test"));
    bench.stack().refuse_transfer(id(), 603);
    EXPECT_TRUE(uac.expect("NOTIFY", 50ms).empty());
}

TEST_F(Transfer, TheirsWithReplacesAndBadOnes) {
    refer("r: <sip:bob@b.test?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\nb: <sip:boss@b.test>\r\n");
    EXPECT_FALSE(uac.expect(202).empty());
    ASSERT_TRUE(sees("refer sip:bob@b.test"));
    EXPECT_EQ(bench.events.transfers.at(0).replaces, "x;to-tag=1;from-tag=2");
    EXPECT_EQ(bench.events.transfers.at(0).referred_by, "<sip:boss@b.test>");
    bench.stack().refuse_transfer(id(), 603);
    EXPECT_NE(notified().body(), "");
    EXPECT_NE(notified().body(), "");
    for (const char* bad : {"",
                            "Refer-To: <http://x.test>\r\n",
                            "Refer-To: <sip:a@b>, <sip:c@d>\r\n",
                            "Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n"}) {
        refer(bad);
        EXPECT_FALSE(uac.expect(400).empty()) << bad;
    }
}

TEST_F(Transfer, OursIsFollowed) {
    model::Transfer transfer;
    transfer.target = "sip:bob@b.test";
    bench.stack().transfer(id(), transfer);
    const Message asked = uac.expect("REFER");
    EXPECT_EQ(asked.header("Refer-To"), "<sip:bob@b.test>");
    EXPECT_EQ(asked.header("Referred-By"), "<sip:service@127.0.0.1>");
    EXPECT_FALSE(asked.header("Contact").empty());
    uac.accept(asked, 202);
    report("SIP/2.0 100 Trying\r\n", "active;expires=60", "refer");
    EXPECT_FALSE(uac.expect(200).empty());
    report("SIP/2.0 180 Ringing\r\n", "active;expires=60", "refer;id=1");
    EXPECT_FALSE(uac.expect(200).empty());
    report("SIP/2.0 200 OK\r\n", "terminated;reason=noresource", "refer");
    EXPECT_FALSE(uac.expect(200).empty());
    ASSERT_TRUE(sees("transfer 200"));
    EXPECT_TRUE(bench.events.saw("transfer 180"));
    EXPECT_FALSE(bench.events.saw("transfer 100"));
    report("SIP/2.0 200 OK\r\n", "terminated", "refer");  // nobody subscribes any more
    EXPECT_FALSE(uac.expect(481).empty());
    report("", "active", "presence");
    EXPECT_FALSE(uac.expect(489).empty());
}

TEST_F(Transfer, OursIsRefusedOrEndsWithoutAnOutcome) {
    model::Transfer transfer;
    transfer.target = "sip:bob@b.test";
    bench.stack().transfer(id(), transfer);
    uac.accept(uac.expect("REFER"), 603);
    ASSERT_TRUE(sees("transfer 603"));
    bench.stack().transfer(id(), transfer);
    const Message second = uac.expect("REFER");
    bench.stack().transfer(id(), transfer);  // one at a time
    ASSERT_TRUE(sees("transfer 491"));
    uac.accept(second, 202);
    report("garbage", "terminated;reason=giveup", "refer");
    ASSERT_TRUE(sees("transfer 408"));
    transfer.target = "sip:bob@b.test>\r\nX: y";
    bench.stack().transfer(id(), transfer);
    ASSERT_TRUE(sees("transfer 400"));
    transfer.target.clear();
    transfer.replaces_call = model::CallId::make();
    bench.stack().transfer(id(), transfer);
    EXPECT_TRUE(sees("transfer 481"));
}

TEST_F(Transfer, OursAttendedNamesTheOtherDialog) {
    ScriptedUas uas(bench);
    const Message invite = uas.call();
    model::Transfer transfer;
    transfer.replaces_call = uas.id();
    bench.stack().transfer(id(), transfer);
    const Message asked = uac.expect("REFER");
    const auto target = parse_refer_to(asked.header("Refer-To"));
    ASSERT_TRUE(target);
    EXPECT_EQ(target->uri, "sip:uas@127.0.0.1:" + std::to_string(uas.port()));
    EXPECT_EQ(target->replaces,
              invite.header("Call-ID") + ";to-tag=uas;from-tag=" + invite.tag("From"));
}

TEST_F(Transfer, InviteWithReplacesTakesThePlace) {
    ScriptedUac other(bench, ScriptedUac::Over::Udp);
    other.extra = "Require: replaces\r\nReplaces: " + uac.call_id + ";to-tag=" + uac.to_tag +
                  ";from-tag=" + uac.from_tag + "\r\n";
    other.send(other.request("INVITE", plain_offer()));
    const Message ok = other.expect(200);
    ASSERT_FALSE(ok.empty());
    EXPECT_EQ(bench.events.calls.at(1).facts.replaces, id().text);
    other.learn(ok);
    other.send(other.request("ACK"));
    const Message bye = uac.expect("BYE");
    ASSERT_FALSE(bye.empty());
    EXPECT_TRUE(bye.header("Reason").starts_with("SIP;cause=200"));
    uac.accept(bye);
    EXPECT_TRUE(sees("ended replaced"));
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 1; }));
}

TEST_F(Transfer, WhatIsReplacedLeavesNoOfferWaiting) {
    bench.events.when_reoffer = {};  // nobody answers it
    uac.send(uac.request("INVITE", plain_offer(2, "sendonly")));
    EXPECT_FALSE(uac.expect(100).empty());
    ScriptedUac other(bench, ScriptedUac::Over::Udp);
    other.extra =
        "Replaces: " + uac.call_id + ";to-tag=" + uac.to_tag + ";from-tag=" + uac.from_tag + "\r\n";
    other.send(other.request("INVITE", plain_offer()));
    const Message ok = other.expect(200);
    ASSERT_FALSE(ok.empty());
    other.learn(ok);
    other.send(other.request("ACK"));
    EXPECT_FALSE(uac.expect(487).empty());
    uac.send(uac.request("ACK", {}, true));
    uac.accept(uac.expect("BYE"));
    // Also the machines of the transactions: an INVITE without an answer would stay for ever.
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().transactions == 0; }));
}

TEST_F(Transfer, ReplacesOfNothing) {
    ScriptedUac other(bench, ScriptedUac::Over::Udp);
    const auto refused = [&](const std::string& value, int status) {
        other.new_call();
        other.extra = "Replaces: " + value + "\r\n";
        other.send(other.request("INVITE", plain_offer()));
        const bool is = !other.expect(status).empty();
        other.send(other.request("ACK", {}, true));
        return is;
    };
    EXPECT_TRUE(refused("nobody;to-tag=1;from-tag=2", 481));
    EXPECT_TRUE(refused("nobody", 400));
    const std::string ours = uac.call_id + ";to-tag=" + uac.to_tag + ";from-tag=" + uac.from_tag;
    EXPECT_TRUE(refused(ours + ";early-only", 486));
    bench.stack().hangup(id(), model::ended(model::EndReason::ApiHangup));
    const Message bye = uac.expect("BYE");
    EXPECT_TRUE(refused(ours, 603));  // on its way out
    uac.accept(bye);
}

}  // namespace
}  // namespace offhook::test
