// Calls by SIPp, whose SIP and RTP are not ours: answered, paced, echoed, ended.

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class SippCallTest : public CallTest {};

// SIPp's stock caller opens no RTP socket: our packets meet ICMP port unreachable and must go on
// all the same.
TEST_F(SippCallTest, StockUacIsAnsweredAndFed) {
    start();
    start_capture();
    Sipp::Options options;
    options.arguments = {"-d", "3000"};
    Sipp sipp(folder_, daemon_->sip_port(), "uac", options);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    EXPECT_NEAR(double(sent.packets().size()), 150, 4);
    EXPECT_EQ(sent.judge().payload_types, std::vector<std::uint8_t>{0});
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "caller-hangup");
}

// SIPp's recorded speech (A-law) and one digit, from a raw socket.
TEST_F(SippCallTest, StockPcapCallerHearsItsSpeechAgain) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "SIPp replays captures from a raw socket, which needs root";
    }
    start();
    start_capture();
    std::filesystem::create_directory(folder_ / "sipp-uac_pcap");
    std::filesystem::create_directory_symlink("/usr/share/sip-tester",
                                              folder_ / "sipp-uac_pcap/pcap");
    Sipp sipp(folder_, daemon_->sip_port(), "uac_pcap", {});
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    const Sound spoken = inbound().sound("PCMA");
    ASSERT_GT(spoken.seconds(), 4);
    EXPECT_TRUE(is_intact(spoken.part(0, 4), sent.sound("PCMA")));
}

TEST_F(SippCallTest, EchoesSpeechWordByWord) {
    start();
    start_capture();
    const Sound sentence = spoken(folder_, 8000);
    write_mulaw(folder_ / "spoken.ul", sentence);
    Scenario scenario = answered();
    const auto length =
        std::chrono::ceil<milliseconds>(std::chrono::duration<double>(sentence.seconds() + 1));
    scenario.stream(folder_ / "spoken.ul").pause(length).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    const Sound heard = sent.sound("PCMU");
    EXPECT_TRUE(is_intact(sentence, heard));
    const std::vector<Match> matches = align(sentence, heard, 0.2, 1.5);
    ASSERT_FALSE(matches.empty());
    const double delay_s = matches.front().delay_s;
    EXPECT_EQ(heard_words(folder_, heard.part(delay_s, delay_s + sentence.seconds())), kWords);
}

TEST_F(SippCallTest, EchoesOverTcpSignalling) {
    Daemon::Options options;
    options.has_tcp = true;
    start(options);
    start_capture();
    const Sound sound = tone(8000, 500, 4);
    write_mulaw(folder_ / "tone.ul", sound);
    Scenario scenario = answered();
    scenario.stream(folder_ / "tone.ul").pause(seconds(3)).bye().receive(200);
    Sipp::Options tcp;
    tcp.is_tcp = true;
    Sipp sipp(folder_, daemon_->tcp_port(), scenario, tcp);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    EXPECT_GT(tone_level_dbov(sent.part(1.5, 2.5).sound("PCMU").samples, 8000, 500), -20);
}

// RFC 3264 §4: our offer in the 200, theirs in the ACK.
TEST_F(SippCallTest, OfferlessInviteGetsOurOffer) {
    start();
    start_capture();
    Scenario scenario;
    scenario.invite_without_sdp()
        .may_receive(100)
        .may_receive(180)
        .receive_matching(200, "m=audio [0-9]+ RTP/AVP 0 ")
        .ack_with(pcmu())
        .pause(seconds(2))
        .bye()
        .receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpVerdict verdict = outbound().judge();
    EXPECT_TRUE(keeps_promise(verdict));
    EXPECT_NEAR(double(verdict.packets), 100, 4);
}

TEST_F(SippCallTest, AnswersAfterTheDelay) {
    Daemon::Options options;
    options.sip = "answer_delay_ms = 700\n";
    start(options);
    Scenario scenario;
    scenario.invite(pcmu()).may_receive(100).receive(180).receive(200).ack().bye().receive(200);
    const auto begin = Clock::now();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_GE(Clock::now() - begin, milliseconds(700));
}

TEST_F(SippCallTest, FirstPacketLeavesAtOnce) {
    start();
    Scenario scenario = answered();
    scenario.pause(seconds(2)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    double first_ms = -1;
    EXPECT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        first_ms = daemon_->json("/api/v1/calls/" + id + "/stats")
                       .number("stats.first_sent_after_answer_ms");
        return first_ms >= 0;
    }));
    EXPECT_LE(first_ms, is_sanitized() ? 100 : 20);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
}

TEST_F(SippCallTest, ApiHangupSendsBye) {
    start();
    Scenario scenario = answered();
    scenario.receive_request("BYE").ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    ASSERT_TRUE(daemon_->wait_event("call.answered"));
    const HttpAnswer answer = daemon_->post("/api/v1/calls/" + id + "/hangup");
    EXPECT_EQ(answer.status / 100, 2) << answer.body;
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

// RFC 3261 §13.3.1.4: after 0.5 s, after 1 s more, and no longer once the ACK is there.
TEST_F(SippCallTest, RepeatsThe200UntilTheAck) {
    start();
    Scenario scenario;
    scenario.invite(pcmu())
        .may_receive(100)
        .may_receive(180)
        .receive(200)
        .pause(milliseconds(2500))
        .ack();
    scenario.pause(milliseconds(2500)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const std::string messages = sipp.messages();
    const std::size_t ack = messages.find("\nACK ");
    ASSERT_NE(ack, std::string::npos);
    const auto answers = [](const std::string& text) {
        std::size_t count = 0;
        for (std::size_t at = text.find("SIP/2.0 200 OK"); at != std::string::npos;
             at = text.find("SIP/2.0 200 OK", at + 1)) {
            ++count;
        }
        return count;
    };
    EXPECT_EQ(answers(messages.substr(0, ack)), 3U) << messages;
    // That of the BYE.
    EXPECT_EQ(answers(messages.substr(ack)), 1U) << messages;
}

TEST_F(SippCallTest, OptionsAreAnswered) {
    start();
    Scenario scenario;
    scenario.options().receive_matching(200, "Allow:");
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
}

TEST_F(SippCallTest, ManyCallsAtOnceAreAllFed) {
    start();
    start_capture();
    Scenario scenario = answered();
    scenario.pause(seconds(3)).bye().receive(200);
    Sipp::Options options;
    options.calls = 40;
    options.arguments = {"-r", "40", "-l", "40"};
    Sipp sipp(folder_, daemon_->sip_port(), scenario, options);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const std::uint16_t first = daemon_->first_rtp_port();
    const std::uint16_t last = daemon_->last_rtp_port();
    const auto calls = streams(capture_->rtp(first, last), first, last, true);
    ASSERT_EQ(calls.size(), 40U);
    for (const RtpStream& call : calls) {
        EXPECT_TRUE(keeps_promise(call.judge()));
        EXPECT_NEAR(double(call.packets().size()), 150, 6);
    }
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

}  // namespace
}  // namespace offhook::harness
