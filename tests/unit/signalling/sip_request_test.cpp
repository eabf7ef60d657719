// Requests outside a call, and INVITEs that get no further than us.
#include <gtest/gtest.h>

#include "scripted_uac.h"

namespace offhook::test {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const auto at = text.find(what);
    if (at == std::string::npos)
        throw std::runtime_error("nothing to replace: " + std::string(what));
    return text.replace(at, what.size(), with);
}

class SipRequest : public testing::Test {
protected:
    /// Sends and gives the final answer.
    Message ask(const std::string& text) {
        uac.send(text);
        Message answer = uac.receive();
        while (answer.status() > 0 && answer.status() < 200) answer = uac.receive();
        return answer;
    }
    /// An INVITE that must be refused, with its ACK.
    Message refused(const std::string& text) {
        Message answer = ask(text);
        uac.send(uac.request("ACK", {}, true));
        uac.new_call();
        return answer;
    }

    Bench bench;
    ScriptedUac uac{bench, ScriptedUac::Over::Udp};
};

TEST_F(SipRequest, OptionsSaysWhatWeDo) {
    const Message ok = ask(uac.request("OPTIONS"));
    EXPECT_EQ(ok.status(), 200);
    EXPECT_EQ(ok.header("Accept"), "application/sdp");
    EXPECT_EQ(ok.header("Allow"),
              "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE");
    EXPECT_NE(ok.text.find("\r\nSupported:"), std::string::npos);
    EXPECT_FALSE(ok.tag("To").empty());
    // A command and a datagram race into the sip thread: ask until the command has won.
    const auto becomes = [&](int status) {
        return bench.wait([&] {
            uac.new_call();
            const Message answer = ask(uac.request("OPTIONS"));
            return answer.status() == status &&
                   (status == 200 || answer.header("Retry-After") == "5");
        });
    };
    bench.stack().set_draining(true);
    EXPECT_TRUE(becomes(503));
    bench.stack().set_draining(false);
    EXPECT_TRUE(becomes(200));
}

TEST_F(SipRequest, DrainingStillLetsInvitesUp) {
    bench.stack().set_draining(true);
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().reject(call.id, 486, "");
    };
    EXPECT_EQ(refused(uac.request("INVITE", plain_offer())).text.substr(0, 21),
              "SIP/2.0 486 Busy Here");
}

TEST_F(SipRequest, MethodsOfOthersAre405AndUnknownWordsAre501) {
    for (const char* method : {"REGISTER", "PUBLISH"}) {
        const Message answer = ask(uac.request(method));
        EXPECT_EQ(answer.status(), 405) << method;
        EXPECT_FALSE(answer.header("Allow").empty());
        uac.new_call();
    }
    EXPECT_EQ(ask(uac.request("FROBNICATE")).status(), 501);
    uac.new_call();
    EXPECT_EQ(ask(uac.request("SUBSCRIBE")).status(), 489);
    uac.new_call();
    EXPECT_EQ(ask(uac.request("NOTIFY")).status(), 489);  // message-summary and the like
    uac.new_call();
    EXPECT_EQ(ask(uac.request("REFER")).status(), 403);
}

TEST_F(SipRequest, RequestsOfNoDialogAre481) {
    for (const char* method :
         {"BYE", "INFO", "OPTIONS", "UPDATE", "PRACK", "REFER", "NOTIFY", "MESSAGE", "INVITE"}) {
        uac.to_tag = "nobody";
        EXPECT_EQ(
            ask(uac.request(method, std::string_view(method) == "INVITE" ? plain_offer() : ""))
                .status(),
            481)
            << method;
        if (std::string_view(method) == "INVITE") uac.send(uac.request("ACK", {}, true));
    }
    uac.new_call();
    EXPECT_EQ(ask(uac.request("BYE")).status(), 481);
    uac.send(uac.request("ACK"));  // of nothing: silence
    EXPECT_TRUE(uac.is_silent(20ms));
}

TEST_F(SipRequest, UnknownExtensionIs420) {
    uac.extra = "Require: 100rel, foo\r\nRequire: timer, bar\r\n";
    const Message answer = refused(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(answer.status(), 420);
    EXPECT_EQ(answer.header("Unsupported"), "foo, bar");
    EXPECT_FALSE(bench.events.saw("incoming"));
}

TEST_F(SipRequest, HopsVersionSchemeAndCSeqAreChecked) {
    EXPECT_EQ(
        refused(
            replaced(uac.request("INVITE", plain_offer()), "Max-Forwards: 70", "Max-Forwards: 0"))
            .status(),
        483);
    EXPECT_EQ(ask(replaced(uac.request("OPTIONS"), " SIP/2.0\r\n", " SIP/3.0\r\n")).status(), 505);
    uac.new_call();
    EXPECT_EQ(ask(replaced(uac.request("OPTIONS"),
                           "OPTIONS sip:service@127.0.0.1",
                           "OPTIONS http://x.example"))
                  .status(),
              416);
    uac.new_call();
    EXPECT_EQ(ask(replaced(uac.request("OPTIONS"), "1 OPTIONS", "1 BYE")).status(), 400);
}

TEST_F(SipRequest, TelephoneUriIsTheUser) {
    bench.events.when_incoming = [&](const model::IncomingCall& call) {
        bench.stack().reject(call.id, 404, "");
    };
    const std::string port = std::to_string(bench.port("udp"));
    EXPECT_EQ(refused(replaced(uac.request("INVITE", plain_offer()),
                               "sip:service@127.0.0.1:" + port,
                               "tel:+15551234;phone-context=x"))
                  .status(),
              404);
    EXPECT_EQ(bench.events.calls.at(0).to_user, "+15551234");
    EXPECT_EQ(bench.events.calls.at(0).local_address, "127.0.0.1");
}

TEST_F(SipRequest, BodiesThatAreNoOffer) {
    const Message wrong_type =
        refused(replaced(uac.request("INVITE", plain_offer()), "application/sdp", "text/plain"));
    EXPECT_EQ(wrong_type.status(), 415);
    EXPECT_EQ(wrong_type.header("Accept"), "application/sdp");
    uac.extra = "Content-Encoding: gzip\r\n";
    const Message packed = refused(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(packed.status(), 415);
    EXPECT_EQ(packed.header("Accept-Encoding"), "identity");
    EXPECT_EQ(refused(uac.request("INVITE", "v=0\r\ngarbage\r\n")).status(), 400);
    const Message no_audio =
        refused(uac.request("INVITE",
                            "v=0\r\no=x 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 "
                            "0\r\nm=video 5000 RTP/AVP 99\r\n"));
    EXPECT_EQ(no_audio.status(), 488);
    EXPECT_TRUE(no_audio.header("Warning").starts_with("304 "));
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().invites_rejected == 4; }));
    EXPECT_FALSE(bench.events.saw("incoming"));
}

TEST_F(SipRequest, InviteWithoutContactIs400) {
    const std::string invite = uac.request("INVITE", plain_offer());
    const auto at = invite.find("Contact:");
    std::string without = invite;
    without.erase(at, invite.find("\r\n", at) + 2 - at);
    EXPECT_EQ(refused(without).status(), 400);
}

TEST_F(SipRequest, TheSameInviteByAnotherWayIs482) {
    const std::string invite = uac.request("INVITE", plain_offer());
    uac.send(invite);
    EXPECT_EQ(uac.receive().status(), 100);
    const std::string other = replaced(invite, "branch=z9hG4bK", "branch=z9hG4bKother");
    EXPECT_EQ(ask(other).status(), 482);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("incoming"); }));
    EXPECT_EQ(bench.events.count("incoming"), 1U);
}

TEST_F(SipRequest, LimitOfCallsIs503) {
    Bench small([](auto& settings) { settings.max_calls = 1; });
    ScriptedUac first(small, ScriptedUac::Over::Udp);
    first.send(first.request("INVITE", plain_offer()));
    EXPECT_EQ(first.receive().status(), 100);
    first.new_call();
    first.send(first.request("INVITE", plain_offer()));
    const Message full = first.expect(503);
    EXPECT_FALSE(full.header("Retry-After").empty());
}

TEST_F(SipRequest, LimitOfTransactionsDrops) {
    Bench small([](auto& settings) { settings.max_transactions = 2; });
    ScriptedUac caller(small, ScriptedUac::Over::Udp);
    for (int i = 0; i < 3; ++i) {
        caller.new_call();
        caller.send(caller.request("INVITE", plain_offer()));
    }
    EXPECT_TRUE(small.wait([&] { return small.stack().counters().dropped == 1; }));
    EXPECT_EQ(small.events.count("incoming"), 2U);
}

TEST_F(SipRequest, AnswersFollowTheViaAndNotMaddr) {
    // Without rport: to the port of sent-by (RFC 3261 §18.2.2). The sending socket is another one.
    ScriptedUac other(bench, ScriptedUac::Over::Udp);
    const std::string here = "127.0.0.1:" + std::to_string(uac.local_port());
    std::string text = other.request("OPTIONS");
    text = replaced(
        text, "127.0.0.1:" + std::to_string(other.local_port()) + ";", here + ";maddr=192.0.2.66;");
    text = replaced(text, ";rport", "");
    other.send(text);
    EXPECT_EQ(uac.receive().status(), 200);
    // With rport: to where it came from, and told so (RFC 3581 §4).
    const Message answer = ask(replaced(
        uac.request("OPTIONS"), "Via: SIP/2.0/UDP 127.0.0.1", "Via: SIP/2.0/UDP 10.9.9.9"));
    EXPECT_EQ(answer.status(), 200);
    EXPECT_NE(answer.header("Via").find("received=127.0.0.1"), std::string::npos);
    EXPECT_NE(answer.header("Via").find("rport=" + std::to_string(uac.local_port())),
              std::string::npos);
}

TEST_F(SipRequest, CompactFormsAndFoldedHeaders) {
    const std::string here = "127.0.0.1:" + std::to_string(uac.local_port());
    const Message answer =
        ask("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP " + here +
            ";branch=z9hG4bKcompact;rport\r\nf: <sip:a@b>;tag=1\r\nt: <sip:x@127.0.0.1>\r\n"
            "i: compact-1\r\nCSeq: 9\r\n  OPTIONS\r\nl: 0\r\n\r\n");
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.header("Call-ID"), "compact-1");
}

TEST_F(SipRequest, OldPeersWithoutTheBranchCookie) {
    const auto old = [&](const std::string& text) {
        return replaced(text, "branch=z9hG4bK", "branch=old");
    };
    bench.answer_all();
    const std::string invite = old(uac.request("INVITE", plain_offer()));
    uac.send(invite);
    const Message ok = uac.expect(200);
    uac.send(invite);
    EXPECT_EQ(uac.receive().text, ok.text);
    uac.learn(ok);
    uac.send(old(uac.request("ACK", {}, true)));  // such peers reuse the branch
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(old(uac.request("BYE")));
    EXPECT_EQ(uac.receive().status(), 200);
}

}  // namespace
}  // namespace offhook::test
