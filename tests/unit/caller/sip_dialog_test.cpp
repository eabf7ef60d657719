#include "caller/sip_dialog.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace offhook::caller {
namespace {

constexpr std::int64_t kMs = 1'000'000;

struct Sent {
    SipMessage message;
    std::string text;
    Endpoint to;
};

/// Plays the callee by hand: what the dialog sends is parsed and kept.
class SipDialogTest : public testing::Test, public SipOut {
protected:
    void send(const std::string& text, const Endpoint& to) override {
        auto message = parse_sip(text);
        ASSERT_TRUE(message) << message.error().text() << "\n" << text;
        sent_.push_back({*message, text, to});
    }

    static DialogSettings make_settings() {
        DialogSettings s;
        s.target = *parse_sip_uri("sip:demo@127.0.0.1:5060");
        s.next_hop = *Endpoint::numeric("127.0.0.1", 5060);
        s.local = *Endpoint::numeric("127.0.0.1", 40000);
        return s;
    }
    void invite() { dialog().invite(0); }
    SipDialog& dialog() {
        if (!dialog_) dialog_.emplace(settings_, *Endpoint::numeric("127.0.0.1", 41000), *this);
        return *dialog_;
    }
    /// The callee answers `request`.
    void answer(const SipMessage& request,
                int status,
                const std::string& extra = {},
                const std::string& body = {},
                const std::string& to_tag = "callee",
                std::int64_t at_ns = 10 * kMs) {
        SipMessage tagged = request;
        for (auto& [name, value] : tagged.headers) {
            if (name == "to" && status > 100 && value.find(";tag=") == std::string::npos)
                value += ";tag=" + to_tag;
        }
        const auto response = parse_sip(write_response(tagged, status, "Some Reason", extra, body));
        ASSERT_TRUE(response);
        dialog().receive(*response, peer_, at_ns, at_ns);
    }
    void answer_call(const std::string& extra = "Contact: <sip:demo@127.0.0.1:5090>\r\n") {
        answer(invite_message(), 200, extra, sdp());
    }
    /// The callee asks something inside the dialog.
    void ask(const std::string& method,
             const std::string& body = {},
             const std::string& extra = {}) {
        const SipMessage& first = invite_message();
        const std::string text =
            method +
            " sip:offhook@127.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/UDP "
            "127.0.0.1:5090;branch=z9hG4bKx\r\n" +
            "From: <sip:demo@127.0.0.1>;tag=callee\r\nTo: " + std::string(first.header("from")) +
            "\r\nCall-ID: " + first.call_id + "\r\nCSeq: 77 " + method + "\r\n" + extra +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        const auto request = parse_sip(text);
        ASSERT_TRUE(request);
        dialog().receive(*request, peer_, 500 * kMs, 500 * kMs);
    }
    static std::string sdp(const std::string& direction = "sendrecv",
                           const std::string& port = "4000") {
        return "v=0\r\no=c 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
               port + " RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=" + direction +
               "\r\n";
    }
    const SipMessage& invite_message() { return sent_.at(0).message; }
    const Sent& last() { return sent_.back(); }
    std::vector<std::string> methods() const {
        std::vector<std::string> names;
        for (const Sent& s : sent_)
            names.push_back(s.message.is_response ? std::to_string(s.message.status)
                                                  : s.message.method);
        return names;
    }

    DialogSettings settings_ = make_settings();
    Endpoint peer_ = *Endpoint::numeric("127.0.0.1", 5060);
    std::optional<SipDialog> dialog_;
    std::vector<Sent> sent_;
};

using Names = std::vector<std::string>;

TEST_F(SipDialogTest, ACallFromInviteToBye) {
    invite();
    EXPECT_EQ(invite_message().request_uri, "sip:demo@127.0.0.1:5060");
    EXPECT_TRUE(parse_sdp(invite_message().body));
    answer(invite_message(), 100);
    answer(invite_message(), 180);
    EXPECT_EQ(dialog().state(), SipDialog::State::Ringing);
    answer_call();
    EXPECT_EQ(dialog().state(), SipDialog::State::Answered);
    EXPECT_EQ(dialog().answered_ns(), 10 * kMs);
    EXPECT_EQ(dialog().remote_audio().rtp_port, 4000);
    EXPECT_EQ(dialog().chosen()->telephone_event_type, 101);
    EXPECT_EQ(last().message.method, "ACK");
    EXPECT_EQ(last().message.cseq, 1U);
    EXPECT_EQ(last().message.tag("to"), "callee");
    EXPECT_NE(last().message.branch(), invite_message().branch());
    EXPECT_EQ(last().message.request_uri, "sip:demo@127.0.0.1:5090");
    EXPECT_EQ(last().to.port(), 5090);
    dialog().hang_up(1000 * kMs);
    EXPECT_EQ(last().message.method, "BYE");
    EXPECT_EQ(last().message.cseq, 2U);
    EXPECT_EQ(last().to.port(), 5090);
    answer(last().message, 200);
    EXPECT_TRUE(dialog().is_over());
    EXPECT_EQ(dialog().ending(), Ending::WeHungUp);
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "BYE"}));
}

TEST_F(SipDialogTest, TheInviteIsRepeatedUntilAnyAnswer) {
    invite();
    for (const int at_ms : {499, 500, 1499, 1500, 3499, 3500}) dialog().tick(at_ms * kMs);
    EXPECT_EQ(methods(), (Names{"INVITE", "INVITE", "INVITE", "INVITE"}));
    EXPECT_EQ(sent_[0].text, sent_[3].text);
    EXPECT_EQ(dialog().invite_retransmissions(), 3U);
    answer(invite_message(), 100);
    dialog().tick(20'000 * kMs);
    EXPECT_EQ(sent_.size(), 4U);
}

TEST_F(SipDialogTest, OverTcpNothingIsRepeated) {
    settings_.is_tcp = true;
    invite();
    EXPECT_NE(sent_[0].text.find("Via: SIP/2.0/TCP "), std::string::npos);
    dialog().tick(20'000 * kMs);
    EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(SipDialogTest, SilenceEndsAfterTheTimeout) {
    invite();
    dialog().tick(31'999 * kMs);
    EXPECT_FALSE(dialog().is_over());
    dialog().tick(32'000 * kMs);
    EXPECT_EQ(dialog().ending(), Ending::NoResponse);
    EXPECT_NE(dialog().ending_text().find("nothing back at all"), std::string::npos);
}

TEST_F(SipDialogTest, ARefusalIsAcknowledgedInItsTransactionEachTime) {
    invite();
    answer(invite_message(), 503, "Retry-After: 5\r\n");
    answer(invite_message(), 503, "Retry-After: 5\r\n");
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "ACK"}));
    EXPECT_EQ(last().message.branch(), invite_message().branch());
    EXPECT_EQ(dialog().ending(), Ending::Refused);
    EXPECT_EQ(dialog().status(), 503);
    EXPECT_EQ(dialog().ending_text(), "answered 503 Some Reason, Retry-After 5");
}

TEST_F(SipDialogTest, ACredentialChallengeIsExplained) {
    invite();
    answer(invite_message(), 401, "WWW-Authenticate: Digest realm=\"x\"\r\n");
    EXPECT_NE(dialog().ending_text().find("wants credentials"), std::string::npos);
}

TEST_F(SipDialogTest, ARepeatedAnswerIsAcknowledgedAgain) {
    invite();
    answer_call();
    answer_call();
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "ACK"}));
    EXPECT_EQ(sent_[1].text, sent_[2].text);
    EXPECT_EQ(dialog().answered_ns(), 10 * kMs);
}

TEST_F(SipDialogTest, ASecondBranchOfAForkIsTakenLeaveOf) {
    invite();
    answer_call();
    answer(invite_message(), 200, "Contact: <sip:other@127.0.0.1:5091>\r\n", sdp(), "other");
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "ACK", "BYE"}));
    EXPECT_EQ(last().message.tag("to"), "other");
    EXPECT_EQ(last().to.port(), 5091);
    EXPECT_EQ(dialog().state(), SipDialog::State::Answered);
}

TEST_F(SipDialogTest, TheRouteSetIsReversedAndFollowed) {
    invite();
    answer_call(
        "Record-Route: <sip:127.0.0.3:5063;lr>\r\nRecord-Route: <sip:127.0.0.2:5062;lr>\r\n"
        "Contact: <sip:demo@127.0.0.9:5090>\r\n");
    EXPECT_EQ(last().message.header("route"), "<sip:127.0.0.2:5062;lr>, <sip:127.0.0.3:5063;lr>");
    EXPECT_EQ(last().message.request_uri, "sip:demo@127.0.0.9:5090");
    EXPECT_EQ(last().to, *Endpoint::numeric("127.0.0.2", 5062));
}

TEST_F(SipDialogTest, AStrictRouterBecomesTheRequestUri) {
    invite();
    answer_call("Record-Route: <sip:127.0.0.2:5062>\r\nContact: <sip:demo@127.0.0.9:5090>\r\n");
    EXPECT_EQ(last().message.request_uri, "sip:127.0.0.2:5062");
    EXPECT_EQ(last().message.header("route"), "<sip:demo@127.0.0.9:5090>");
}

TEST_F(SipDialogTest, AContactNameDoesNotNeedAResolver) {
    invite();
    answer_call("Contact: <sip:demo@pbx.invalid:5099>\r\n");
    EXPECT_EQ(last().to, peer_);
}

TEST_F(SipDialogTest, CancelWaitsForAProvisionalAnswer) {
    invite();
    dialog().hang_up(100 * kMs);
    EXPECT_EQ(methods(), (Names{"INVITE"}));
    answer(invite_message(), 180);
    EXPECT_EQ(last().message.method, "CANCEL");
    EXPECT_EQ(last().message.branch(), invite_message().branch());
    EXPECT_EQ(last().message.cseq, 1U);
    answer(last().message, 200);
    EXPECT_FALSE(dialog().is_over());
    answer(invite_message(), 487);
    EXPECT_EQ(last().message.method, "ACK");
    EXPECT_EQ(dialog().ending(), Ending::Cancelled);
}

TEST_F(SipDialogTest, AnAnswerThatOvertakesTheCancelIsHungUp) {
    invite();
    answer(invite_message(), 180);
    dialog().hang_up(100 * kMs);
    answer_call();
    EXPECT_EQ(methods(), (Names{"INVITE", "CANCEL", "ACK", "BYE"}));
    answer(last().message, 200);
    EXPECT_EQ(dialog().ending(), Ending::Cancelled);
}

TEST_F(SipDialogTest, RingingTooLongIsCancelled) {
    settings_.answer_timeout_ns = 3'000 * kMs;
    invite();
    answer(invite_message(), 180);
    dialog().tick(3'000 * kMs);
    EXPECT_EQ(last().message.method, "CANCEL");
    answer(invite_message(), 487);
    EXPECT_EQ(dialog().ending(), Ending::RangOut);
    EXPECT_EQ(dialog().ending_text(), "it rang for 3 s and nobody answered");
}

TEST_F(SipDialogTest, TheirByeIsAnsweredAndItsRepetitionToo) {
    invite();
    answer_call();
    ask("BYE", {}, "Reason: SIP;cause=480\r\n");
    EXPECT_EQ(last().message.status, 200);
    EXPECT_EQ(dialog().ending(), Ending::PeerHungUp);
    EXPECT_EQ(dialog().peer_bye_ns(), 500 * kMs);
    EXPECT_NE(dialog().ending_text().find("cause=480"), std::string::npos);
    ask("BYE");
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "200", "200"}));
    EXPECT_EQ(last().to, peer_);
}

TEST_F(SipDialogTest, AnUnansweredByeIsRepeatedAndThenLeft) {
    invite();
    answer_call();
    dialog().hang_up(0);
    dialog().tick(500 * kMs);
    dialog().tick(1500 * kMs);
    EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "BYE", "BYE", "BYE"}));
    dialog().tick(5000 * kMs);
    EXPECT_EQ(dialog().ending(), Ending::WeHungUp);
    EXPECT_NE(dialog().ending_text().find("not answered"), std::string::npos);
}

TEST_F(SipDialogTest, HoldIsMirroredAndMovesTheMedia) {
    invite();
    answer_call();
    const int before = dialog().media_revision();
    ask("INVITE", sdp("sendonly", "4100"));
    EXPECT_EQ(last().message.status, 200);
    const auto ours = parse_sdp(last().message.body);
    ASSERT_TRUE(ours);
    EXPECT_EQ(ours->direction, model::Direction::RecvOnly);
    EXPECT_EQ(ours->rtp_port, 41000);
    EXPECT_EQ(dialog().remote_audio().rtp_port, 4100);
    EXPECT_GT(dialog().media_revision(), before);
}

TEST_F(SipDialogTest, AReofferWeCannotSpeakIsRefusedAndTheOldOneStays) {
    invite();
    answer_call();
    ask("INVITE", "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4200 RTP/AVP 18\r\n");
    EXPECT_EQ(last().message.status, 488);
    EXPECT_EQ(dialog().remote_audio().rtp_port, 4000);
}

TEST_F(SipDialogTest, ManyQuestionsGetAnAnswer) {
    invite();
    answer_call();
    for (const auto& [method, status] : {std::pair("OPTIONS", 200),
                                         {"UPDATE", 200},
                                         {"INFO", 200},
                                         {"CANCEL", 481},
                                         {"REFER", 405},
                                         {"INVITE", 200}}) {
        ask(method);
        EXPECT_EQ(last().message.status, status) << method;
    }
    const std::size_t count = sent_.size();
    ask("ACK");
    EXPECT_EQ(sent_.size(), count);
    EXPECT_EQ(dialog().state(), SipDialog::State::Answered);
}

TEST_F(SipDialogTest, AnAnswerWithoutUsableAudioIsHungUp) {
    for (const std::string& body :
         {std::string(), sdp("sendrecv", "0"), std::string("v=0\r\nm=audio 4 RTP/AVP 8\r\n")}) {
        sent_.clear();
        dialog_.reset();
        invite();
        answer(invite_message(), 200, "Contact: <sip:demo@127.0.0.1:5090>\r\n", body);
        EXPECT_EQ(methods(), (Names{"INVITE", "ACK", "BYE"}));
        answer(last().message, 200);
        EXPECT_EQ(dialog().ending(), Ending::BadAnswer);
        EXPECT_NE(dialog().ending_text().find("answered, but"), std::string::npos);
    }
}

TEST_F(SipDialogTest, AStrangersAnswerIsIgnored) {
    invite();
    SipMessage forged = invite_message();
    for (auto& [name, value] : forged.headers) {
        if (name == "from") value = "<sip:offhook@127.0.0.1>;tag=guess";
    }
    answer(forged, 200, {}, sdp());
    EXPECT_EQ(dialog().state(), SipDialog::State::Calling);
    EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(SipDialogTest, AnUnreachablePeerEndsOnlyWhatWaitsForIt) {
    invite();
    dialog().transport_failed(*Endpoint::numeric("127.0.0.1", 9), "elsewhere");
    EXPECT_FALSE(dialog().is_over());
    dialog().transport_failed(peer_, "nothing listens");
    EXPECT_EQ(dialog().ending(), Ending::Unreachable);
    EXPECT_EQ(dialog().ending_text(), "nothing listens");
}

}  // namespace
}  // namespace offhook::caller
