// What goes wrong around a call must not reach it.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class FaultTest : public CallTest {
protected:
    /// A call that streams the words for `length`, then says BYE.
    Scenario speaking(milliseconds length) {
        sentence_ = spoken(folder_, 8000);
        write_mulaw(folder_ / "spoken.ul", sentence_);
        Scenario scenario = answered();
        scenario.stream(folder_ / "spoken.ul").pause(length).bye().receive(200);
        return scenario;
    }

    /// The running call came through: paced, and the echo of the words whole.
    void expect_untouched() {
        const RtpStream sent = outbound();
        EXPECT_TRUE(keeps_promise(sent.judge()));
        const double listened_s = std::min(sentence_.seconds(), sent.judge().duration_s - 1);
        EXPECT_TRUE(is_intact(sentence_.part(0, listened_s), sent.sound("PCMU")));
    }

    Sound sentence_;
};

TEST_F(FaultTest, CallerWhoseRtpStopsIsToldAndHungUp) {
    Daemon::Options options;
    options.rtp = "timeout_s = 6\n";
    start(options);
    start_capture();
    write_mulaw(folder_ / "tone.ul", tone(8000, 500, 2));
    Scenario scenario = answered();
    scenario.stream(folder_ / "tone.ul")
        .pause(seconds(2))
        .pause_stream()
        .receive_request("BYE")
        .ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    ASSERT_TRUE(daemon_->wait_event("call.answered"));
    const auto answered_at = Clock::now();
    ASSERT_TRUE(daemon_->wait_event("call.oneway", seconds(15)));
    const double oneway_s = std::chrono::duration<double>(Clock::now() - answered_at).count();
    // 2 s of sound, then 3 s of none.
    EXPECT_GT(oneway_s, 4.5);
    EXPECT_LT(oneway_s, 7);
    const auto ended = daemon_->wait_event("call.ended", seconds(15));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "rtp-timeout");
    const double ended_s = std::chrono::duration<double>(Clock::now() - answered_at).count();
    EXPECT_GT(ended_s, 7);
    EXPECT_LT(ended_s, 10);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    // Our own stream never noticed.
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(FaultTest, GarbageOnItsPortsDoesNotReachTheCall) {
    start();
    start_capture();
    Sipp sipp(folder_, daemon_->sip_port(), speaking(seconds(6)));
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));

    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::mt19937 random(20261120);
    const std::vector<std::string> seeds{
        "INVITE sip:echo@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
        "127.0.0.1:9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:echo@127.0.0.1>\r\nCall-ID: garbage\r\nCSeq: 1 INVITE\r\nContact: "
        "<sip:a@127.0.0.1:9>\r\n"
        "Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 9999\r\n\r\nv=0\r\n",
        "BYE sip:echo@127.0.0.1 SIP/2.0\r\nCall-ID: \r\nCSeq: 99999999999 BYE\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: \r\n\r\n",
        std::string("\x80\x00\x00\x01\x00\x00\x00\x00\xde\xad\xbe\xef", 12) +
            std::string(160, '\x7f'),
        std::string("\xbf\x80\xff\xff", 4),
        std::string("\x81\xc9\x00\x07\x00\x00", 6),
        std::string("\x80\xcb\xff\xff\x00\x00\x00\x00", 8)};
    const auto send_to = [&](std::uint16_t port, const std::string& data) {
        sockaddr_in peer{};
        peer.sin_family = AF_INET;
        peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        peer.sin_port = htons(port);
        ::sendto(fd,
                 data.data(),
                 data.size(),
                 MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&peer),
                 sizeof peer);
    };
    // 200 rounds, 10 ms apart: 20,000 datagrams in some 2 s.
    for (int round = 0; round < 200; ++round) {
        for (int index = 0; index < 100; ++index) {
            std::string data = seeds[random() % seeds.size()];
            for (std::uint32_t change = random() % 8; change > 0; --change) {
                data[random() % data.size()] = static_cast<char>(random());
            }
            if (random() % 4 == 0) {
                data.resize(random() % data.size());
            }
            // The call has the first pair or one near it; SIP gets its share.
            const std::uint16_t port =
                index % 4 == 0
                    ? daemon_->sip_port()
                    : static_cast<std::uint16_t>(daemon_->first_rtp_port() + random() % 8);
            send_to(port, data);
        }
        ASSERT_TRUE(stays_alive(daemon_->process(), milliseconds(10)));
    }
    ::close(fd);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    expect_untouched();
    Scenario after;
    after.options().receive(200);
    Sipp asking(folder_, daemon_->sip_port(), after);
    EXPECT_TRUE(asking.succeeds()) << asking.problem();
}

class ReloadTest : public FaultTest {
protected:
    void start_with_own_pipelines() {
        pipelines_ = folder_ / "pipelines";
        std::filesystem::copy(
            std::getenv("OFFHOOK_PIPELINES"), pipelines_, std::filesystem::copy_options::recursive);
        Daemon::Options options;
        options.more = "[media]\npipelines = \"" + pipelines_.string() + "\"\n";
        start(options);
        start_capture();
    }

    void replace(const std::string& from, const std::string& to) {
        const std::filesystem::path file = pipelines_ / "phone.launch";
        std::ifstream in(file);
        std::stringstream buffer;
        buffer << in.rdbuf();
        std::string text = buffer.str();
        const std::size_t at = text.find(from);
        ASSERT_NE(at, std::string::npos) << text;
        text.replace(at, from.size(), to);
        std::ofstream(file) << text;
    }

    void expect_a_call_works() {
        Scenario scenario = answered();
        scenario.pause(milliseconds(500)).bye().receive(200);
        Sipp sipp(folder_, daemon_->sip_port(), scenario);
        EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    }

    std::filesystem::path pipelines_;
};

TEST_F(ReloadTest, BadPipelineIsRefusedWithItsLineWhileCallsGoOn) {
    start_with_own_pipelines();
    Sipp sipp(folder_, daemon_->sip_port(), speaking(seconds(6)));
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));
    replace("linekeeper", "linekeper");
    daemon_->process().signal(SIGHUP);
    const auto told = daemon_->process().wait_output("phone.launch:", seconds(10));
    ASSERT_TRUE(told);
    const std::string log = daemon_->process().output();
    EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(log[*told]))) << log.substr(*told, 80);
    EXPECT_NE(log.find("linekeper"), std::string::npos);
    expect_a_call_works();
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    expect_untouched();
}

TEST_F(ReloadTest, ElementInsertedByTextIsInForceForNewCalls) {
    start_with_own_pipelines();
    Sipp sipp(folder_, daemon_->sip_port(), speaking(seconds(6)));
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));
    replace("aitap name=tap", "aitap name=tap ! level name=meter");
    daemon_->process().signal(SIGHUP);
    const auto reloaded = daemon_->wait_event("pipeline.reloaded");
    ASSERT_TRUE(reloaded);
    EXPECT_EQ(reloaded->number("refused"), 0);
    expect_a_call_works();
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    expect_untouched();
}

class DrainTest : public FaultTest {};

TEST_F(DrainTest, RunningCallsEndThemselvesAndNewOnesAreRefused) {
    start();
    start_capture();
    Sipp sipp(folder_, daemon_->sip_port(), speaking(seconds(5)));
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));
    EXPECT_EQ(daemon_->get("/readyz").status, 200);
    daemon_->process().signal(SIGTERM);
    EXPECT_TRUE(eventually(
        seconds(5), &daemon_->process(), [&] { return daemon_->get("/readyz").status == 503; }));
    EXPECT_EQ(daemon_->get("/livez").status, 200);
    Scenario refused;
    refused.invite(pcmu())
        .may_receive(100)
        .receive_matching(503, "Retry-After: [0-9]+")
        .ack_failure();
    Sipp late(folder_, daemon_->sip_port(), refused);
    EXPECT_TRUE(late.succeeds()) << late.problem();
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_EQ(daemon_->process().wait(seconds(15)), 0);
    expect_untouched();
}

TEST_F(DrainTest, TimeoutHangsUp) {
    Daemon::Options options;
    options.more = "[drain]\ntimeout_s = 1\n";
    start(options);
    Scenario scenario = answered();
    scenario.receive_request("BYE").ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    ASSERT_TRUE(daemon_->wait_event("call.answered"));
    daemon_->process().signal(SIGTERM);
    EXPECT_TRUE(sipp.succeeds(seconds(10))) << sipp.problem();
    EXPECT_EQ(daemon_->process().wait(seconds(15)), 0);
}

TEST_F(DrainTest, SecondSignalIsNow) {
    start();
    Scenario scenario = answered();
    scenario.receive_request("BYE").ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    ASSERT_TRUE(daemon_->wait_event("call.answered"));
    daemon_->process().signal(SIGTERM);
    ASSERT_TRUE(eventually(
        seconds(5), &daemon_->process(), [&] { return daemon_->get("/readyz").status == 503; }));
    EXPECT_FALSE(daemon_->process().wait(milliseconds(0)));
    daemon_->process().signal(SIGTERM);
    EXPECT_TRUE(sipp.succeeds(seconds(10))) << sipp.problem();
    EXPECT_EQ(daemon_->process().wait(seconds(15)), 0);
}

TEST_F(DrainTest, WithoutCallsItEndsAtOnce) {
    start();
    const auto begin = Clock::now();
    daemon_->process().signal(SIGTERM);
    EXPECT_EQ(daemon_->process().wait(seconds(15)), 0);
    EXPECT_LT(Clock::now() - begin, seconds(is_sanitized() ? 8 : 2));
}

}  // namespace
}  // namespace offhook::harness
