// RingCentral's call control in calls over WebSocket: what goes on between 180 and 200, what may be
// asked for, and what is answered although no dialog has it.
#include <gtest/gtest.h>

#include <concepts>

#include "signalling/scripted_uac.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::AccountSettings;
using signalling::sip::Transport;

constexpr const char* kClient = "802000000001";
const std::string kControl =
    R"(<Msg><Hdr SID="354" Req="{EEB7}" From="#990001@sip.test:5060" To="172*115" Cmd="6"/>)"
    R"(<Bdy SrvLvl="-1" SrvLvlExt="406" Phn="+1650" Nm="A &amp; B" ToPhn="+1720" ToNm="Ex" RecUrl="r"/></Msg>)";

class CallControl : public ::testing::Test {
protected:
    explicit CallControl(const std::string& client = kClient)
        : server_({.transport = Transport::Ws}), bench_([](auto& settings) {
              settings.listen.clear();
              settings.allow = [](const sockaddr*) { return false; };
              settings.t1 = std::chrono::milliseconds(50);
          }) {
        AccountSettings account;
        account.name = "rc";
        account.user = "172*115";
        account.domain = "sip.test";
        account.auth_user = kClient;
        account.password = base::Secret("secret");
        account.transport = Transport::Ws;
        account.outbound_proxy = "127.0.0.1:" + std::to_string(server_.port());
        account.control_client = client;
        bench_.stack().set_account(std::move(account));
        expect([&](const Message&) { return !contact_.empty(); });
        uri_ = contact_.substr(1, contact_.find('>') - 1);
    }

    /// Reads what the phone sends until one message fits; answers its REGISTERs.
    template <std::invocable<const Message&> Fits>
    Message expect(Fits fits, std::chrono::milliseconds limit = 5s) {
        Message found;
        (void)bench_.wait(
            [&] {
                Message message{server_.receive(0ms)};
                if (message.empty()) return false;
                if (message.method() == "REGISTER") {
                    contact_ = message.header("Contact");
                    server_.send(reply(message, 200, "Contact: " + contact_ + "\r\n"));
                }
                if (!fits(message)) return false;
                found = std::move(message);
                return true;
            },
            limit);
        return found;
    }
    Message expect(const std::string& method) {
        return expect([&](const Message& message) { return message.method() == method; });
    }
    Message expect(int status, const std::string& cseq) {
        return expect([&](const Message& message) {
            return message.status() == status && message.header("CSeq") == cseq;
        });
    }
    bool sees(std::string_view line) {
        return bench_.wait([&] { return bench_.events.saw(line); });
    }
    bool is_silent(std::chrono::milliseconds span) {
        return expect([](const Message&) { return true; }, span).empty();
    }

    static std::string reply(const Message& request, int status, const std::string& more = {}) {
        std::string text = "SIP/2.0 " + std::to_string(status) + " Any\r\n";
        for (const char* name : {"Via", "From", "Call-ID", "CSeq"})
            text += std::string(name) + ": " + request.header(name) + "\r\n";
        return text + "To: " + request.header("To") +
               (request.header("To").find(";tag=") == std::string::npos ? ";tag=r" : "") + "\r\n" +
               more + "Content-Length: 0\r\n\r\n";
    }

    /// A request of the server; of the call when `to_tag` is given.
    void say(const std::string& method,
             int cseq,
             const std::string& headers = {},
             const std::string& body = {},
             const std::string& to_tag = {}) {
        const std::string branch = method == "CANCEL" ? "INVITE1" : method + std::to_string(cseq);
        server_.send(method + " " + uri_ + " SIP/2.0\r\nVia: SIP/2.0/WSS sip.test;branch=z9hG4bK" +
                     branch + "\r\nFrom: <sip:+1650@10.0.0.1>;tag=a\r\nTo: <sip:172*115@10.0.0.2>" +
                     (to_tag.empty() ? "" : ";tag=" + to_tag) +
                     "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(cseq) + " " + method +
                     "\r\nContact: <sip:far@10.0.0.1:5090;transport=wss>\r\nMax-Forwards: 67\r\n" +
                     headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                     body);
    }
    void invite(const std::string& control = kControl, const std::string& more = {}) {
        say("INVITE",
            1,
            "p-rc-api-ids: party-id=p-1-2;session-id=s-1\r\n"
            "p-rc-api-call-info: "
            "callAttributes=queue-call,reject;callerIdName=A=B;queueName=Help\r\n"
            "P-rc: " +
                control + "\r\nContent-Type: application/sdp\r\n" + more,
            plain_offer());
        ASSERT_TRUE(sees("incoming"));
    }
    [[nodiscard]] const model::IncomingCall& call() const { return bench_.events.calls.at(0); }
    void answer() { bench_.stack().answer(call().id, Bench::local_sdp(call().offer)); }
    /// Rings and answers; the 200.
    Message answered() {
        bench_.stack().ring(call().id);
        server_.send(reply(expect("MESSAGE"), 200));
        answer();
        const Message ok = expect(200, "1 INVITE");
        say("ACK", 1, {}, {}, ok.tag("To"));
        EXPECT_TRUE(sees("confirmed"));
        return ok;
    }

    SipServer server_;
    Bench bench_;
    std::string contact_, uri_;
};

class NoCallControl : public CallControl {
protected:
    NoCallControl() : CallControl("") {}
};

TEST_F(CallControl, ConfirmsBetween180And200) {
    invite();
    bench_.stack().ring(call().id);
    answer();
    std::vector<Message> seen;
    const Message message = expect([&](const Message& each) {
        seen.push_back(each);
        return each.method() == "MESSAGE";
    });
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].status(), 100);
    EXPECT_EQ(seen[1].status(), 180);
    EXPECT_TRUE(is_silent(100ms)) << "the 200 waits for the answer to MESSAGE";
    server_.send(reply(message, 100));
    EXPECT_TRUE(is_silent(50ms));
    server_.send(reply(message, 200));
    const Message ok = expect(200, "1 INVITE");
    EXPECT_EQ(ok.tag("To"), seen[1].tag("To"));

    EXPECT_EQ(message.request_uri(), "sip:#990001@sip.test:5060");
    EXPECT_EQ(message.header("To"), "<sip:#990001@sip.test:5060>");
    EXPECT_EQ(message.header("From").substr(0, 27), "<sip:172*115@sip.test>;tag=");
    EXPECT_EQ(message.header("Call-ID"), "call-1");
    EXPECT_EQ(message.header("Content-Type"), "x-rc/agent");
    EXPECT_EQ(message.body(),
              R"(<Msg><Hdr SID="354" Req="{EEB7}" From="172*115" To="#990001@sip.test:5060" )"
              R"(Cmd="17"/><Bdy Cln="802000000001"/></Msg>)"
              "\r\n");
}

TEST_F(CallControl, FactsOfACall) {
    invite(kControl,
           "Alert-Info: Auto Answer\r\nCall-Info: <10.0.0.1>;purpose=info;Answer-After=250\r\n");
    const model::CallFacts& facts = call().facts;
    ASSERT_TRUE(facts.ringcentral);
    const model::RingCentralFacts& rc = *facts.ringcentral;
    EXPECT_EQ(rc.party_id, "p-1-2");
    EXPECT_EQ(rc.session_id, "s-1");
    EXPECT_EQ(rc.call_attributes, (std::vector<std::string>{"queue-call", "reject"}));
    EXPECT_EQ(rc.queue_name, "Help");
    EXPECT_EQ(rc.caller_id_name, "A=B");
    EXPECT_EQ(rc.caller, "+1650");
    EXPECT_EQ(rc.caller_name, "A & B");
    EXPECT_EQ(rc.called, "+1720");
    EXPECT_EQ(rc.called_name, "Ex");
    EXPECT_EQ(rc.service_level, "-1");
    EXPECT_EQ(rc.service_level_ext, "406");
    EXPECT_EQ(rc.recording_url, "r");
    EXPECT_TRUE(rc.has_control);
    EXPECT_EQ(facts.answer_after, 250ms);
}

TEST_F(CallControl, ValuesOfFactsAreBounded) {
    std::string attributes;
    for (int i = 0; i < 40; ++i) attributes += "a" + std::to_string(i) + ",";
    say("INVITE",
        1,
        "p-rc-api-ids: party-id=" + std::string(400, 'p') +
            "\r\np-rc-api-call-info: callAttributes=" + attributes +
            "\r\nAlert-Info: Auto Answer\r\nCall-Info: <a>;Answer-After=99999999999\r\n"
            "Content-Type: application/sdp\r\n",
        plain_offer());
    ASSERT_TRUE(sees("incoming"));
    ASSERT_TRUE(call().facts.ringcentral);
    EXPECT_EQ(call().facts.ringcentral->party_id.size(), 256U);
    EXPECT_EQ(call().facts.ringcentral->call_attributes.size(), 16U);
    EXPECT_FALSE(call().facts.ringcentral->has_control);
    EXPECT_EQ(call().facts.answer_after, 60s);
}

TEST_F(CallControl, AnswersAnywayWhenNobodyAnswersTheConfirmation) {
    invite();
    bench_.stack().ring(call().id);
    EXPECT_FALSE(expect("MESSAGE").empty());
    answer();
    EXPECT_TRUE(is_silent(300ms));
    EXPECT_FALSE(expect(200, "1 INVITE").empty());
}

TEST_F(CallControl, AnElementThatCannotBeReadIsLeftOut) {
    invite("<Msg><Hdr/></Msg>");
    ASSERT_TRUE(call().facts.ringcentral);
    EXPECT_FALSE(call().facts.ringcentral->has_control);
    bench_.stack().ring(call().id);
    answer();
    std::vector<int> statuses;
    expect([&](const Message& each) {
        statuses.push_back(each.status());
        return each.status() == 200;
    });
    EXPECT_EQ(statuses, (std::vector<int>{100, 180, 200}));
}

TEST_F(CallControl, TheConfirmationKeepsItsShapeThroughAChallenge) {
    invite();
    bench_.stack().ring(call().id);
    const Message first = expect("MESSAGE");
    server_.send(
        reply(first, 407, "Proxy-Authenticate: Digest realm=\"sip.test\", nonce=\"abc\"\r\n"));
    const Message second = expect("MESSAGE");
    EXPECT_FALSE(second.header("Proxy-Authorization").empty());
    EXPECT_EQ(second.request_uri(), first.request_uri());
    EXPECT_EQ(second.header("To"), first.header("To"));
    EXPECT_EQ(second.body(), first.body());
    server_.send(reply(second, 200));
    answer();
    EXPECT_FALSE(expect(200, "1 INVITE").empty());
}

TEST_F(CallControl, ACancelWhileTheAnswerWaits) {
    invite();
    bench_.stack().ring(call().id);
    const Message message = expect("MESSAGE");
    answer();
    say("CANCEL", 1);
    EXPECT_FALSE(expect(200, "1 CANCEL").empty());
    EXPECT_FALSE(expect(487, "1 INVITE").empty());
    EXPECT_TRUE(sees("ended caller-cancelled"));
    server_.send(reply(message, 200));
    say("ACK", 1);
    EXPECT_TRUE(is_silent(100ms));
}

TEST_F(CallControl, MessagesOfOthersAreDroppedAndOursAnswered) {
    invite();
    const Message ok = answered();
    const auto control = [](const std::string& client, int command) {
        return "<Msg><Hdr SID=\"354\" Req=\"{EEB7}\" From=\"#990001@sip.test:5060\" To=\"172*115\" "
               "Cmd=\"" +
               std::to_string(command) + "\"/><Bdy Cln=\"" + client + "\"/></Msg>\r\n";
    };
    const std::string type = "Content-Type: x-rc/agent\r\n";
    say("MESSAGE", 5, type, control("899999999999", 7), ok.tag("To"));
    EXPECT_TRUE(is_silent(100ms));
    // Their CSeq of these need not grow, and they may come outside the dialog.
    say("MESSAGE", 1, type, control(kClient, 7), ok.tag("To"));
    EXPECT_FALSE(expect(200, "1 MESSAGE").empty());
    EXPECT_TRUE(sees("control 7"));
    say("MESSAGE", 6, type, control(kClient, 9));
    EXPECT_FALSE(expect(200, "6 MESSAGE").empty());
    EXPECT_TRUE(sees("control 9"));
    say("MESSAGE", 7, type, "<garbage", ok.tag("To"));
    EXPECT_FALSE(expect(200, "7 MESSAGE").empty());
    EXPECT_TRUE(bench_.events.messages.empty()) << "no text for people";
    EXPECT_TRUE(bench_.wait([&] { return bench_.stack().counters().transactions == 0; }));
}

TEST_F(CallControl, WhatBelongsToNoCallIsAnswered200) {
    int cseq = 20;
    for (const char* method : {"BYE", "INFO", "NOTIFY", "UPDATE", "MESSAGE", "CANCEL"}) {
        say(method, ++cseq, {}, {}, "unknown");
        EXPECT_FALSE(expect(200, std::to_string(cseq) + " " + method).empty()) << method;
    }
    say("NOTIFY", ++cseq, "Event: check-sync\r\n");
    EXPECT_FALSE(expect(200, std::to_string(cseq) + " NOTIFY").empty());
    say("REFER", ++cseq, {}, {}, "unknown");
    EXPECT_FALSE(expect(481, std::to_string(cseq) + " REFER").empty());
}

TEST_F(CallControl, ACallGoesToVoicemail) {
    invite();
    bench_.stack().ring(call().id);
    server_.send(reply(expect("MESSAGE"), 200));
    bench_.stack().order_control(call().id, 3, {.command = 11, .attributes = {{"A", "<b>"}}});
    const Message order = expect("MESSAGE");
    EXPECT_EQ(order.body(),
              R"(<Msg><Hdr SID="354" Req="{EEB7}" From="172*115" To="#990001@sip.test:5060" )"
              R"(Cmd="11"/><Bdy Cln="802000000001" A="&lt;b&gt;"/></Msg>)"
              "\r\n");
    server_.send(reply(order, 200));
    EXPECT_TRUE(sees("control_done 3 200"));
    say("CANCEL", 1);
    EXPECT_FALSE(expect(200, "1 CANCEL").empty());
    EXPECT_FALSE(expect(487, "1 INVITE").empty());
    EXPECT_TRUE(sees("ended caller-cancelled"));
    bench_.stack().order_control(call().id, 4, {.command = 11});
    EXPECT_TRUE(sees("control_done 4 481"));
}

TEST_F(CallControl, AnOrderInTheCallGoesByInfo) {
    invite();
    const Message ok = answered();
    bench_.stack().order_control(call().id, 3, {.command = 11});
    EXPECT_TRUE(sees("control_done 3 481")) << "it does not ring any more";
    const std::string body = R"({"request":{"reqid":1,"command":"startcallrecord"}})";
    bench_.stack().order_control(call().id, 4, {.body = body});
    const Message info = expect("INFO");
    EXPECT_EQ(info.body(), body);
    EXPECT_EQ(info.header("Content-Type"), "application/json; charset=utf-8");
    EXPECT_EQ(info.tag("To"), "a");
    server_.send(reply(info, 200));
    EXPECT_TRUE(sees("control_done 4 200"));
    const std::string response = R"({"response":{"reqid":1}})";
    say("INFO", 2, "Content-Type: application/json;charset=utf-8\r\n", response, ok.tag("To"));
    EXPECT_FALSE(expect(200, "2 INFO").empty());
    EXPECT_TRUE(sees("info application/json " + response));
    say("NOTIFY", 3, "Event: x\r\n", {}, ok.tag("To"));
    EXPECT_FALSE(expect(200, "3 NOTIFY").empty());
}

TEST_F(CallControl, ATransferIsOverWithTheirBye) {
    invite();
    const Message ok = answered();
    bench_.stack().transfer(
        call().id, {.target = "101", .referred_by = {}, .replaces = {}, .replaces_call = {}});
    const Message refer = expect("REFER");
    EXPECT_EQ(refer.header("Refer-To"), "<sip:101@sip.test>");
    server_.send(reply(refer, 202));
    EXPECT_TRUE(sees("transfer 100"));
    say("BYE", 9, {}, {}, ok.tag("To"));
    EXPECT_FALSE(expect(200, "9 BYE").empty());
    EXPECT_TRUE(sees("ended caller-hangup"));
}

TEST_F(CallControl, ContactIsOfTheShapeOfTheirPhones) {
    EXPECT_NE(contact_.find(".invalid;transport=wss>"), std::string::npos) << contact_;
}

TEST_F(NoCallControl, OthersKnowNothingOfIt) {
    invite();
    EXPECT_FALSE(call().facts.ringcentral);
    EXPECT_FALSE(call().facts.answer_after);
    bench_.stack().ring(call().id);
    answer();
    std::vector<int> statuses;
    expect([&](const Message& each) {
        statuses.push_back(each.status());
        return each.status() == 200;
    });
    EXPECT_EQ(statuses, (std::vector<int>{100, 180, 200}));
    say("BYE", 20, {}, {}, "unknown");
    EXPECT_FALSE(expect(481, "20 BYE").empty());
    say("MESSAGE", 21, "Content-Type: x-rc/agent\r\n", "<Msg/>");
    EXPECT_FALSE(expect(200, "21 MESSAGE").empty());
    EXPECT_TRUE(sees("message <Msg/>"));
    EXPECT_NE(contact_.find(";transport=ws>"), std::string::npos) << contact_;
}

}  // namespace
}  // namespace offhook::test
