// The promise itself: from the answer to the end one packet every 20 ms, on one SSRC, whatever the
// AI, the caller, the network or the operator does. Runs alone; the caller measures and, apart from
// it, a capture judges.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "harness/call_test.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

constexpr double kLongestGap_ms = 40;

double longest_gap_ms() {
    return is_sanitized() ? 120 : kLongestGap_ms;
}

class PromiseTest : public CallTest {
protected:
    void start_all() {
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"mute\"\nprotocol = \"mute\"\n[[ai]]\nname = \"burst\"\nprotocol = "
            "\"burst\"\n"
            "[[ai]]\nname = \"echo\"\nprotocol = \"echo\"\n"
            "[[route]]\nname = \"mute\"\nto = \"mute\"\nai = \"mute\"\n"
            "[[route]]\nname = \"burst\"\nto = \"burst\"\nai = \"burst\"\n"
            "[[route]]\nname = \"echo\"\nto = \"*\"\nai = \"echo\"\n";
        start(options);
        start_capture();
    }

    /// What the daemon sent in the call to `user`.
    RtpStream sent_to(const std::string& user) {
        const std::uint16_t first = daemon_->first_rtp_port();
        const std::uint16_t last = daemon_->last_rtp_port();
        const std::uint16_t port = capture_->media_port(daemon_->sip_port(), user);
        std::vector<RtpPacket> packets = capture_->rtp(first, last);
        std::erase_if(packets, [&](const RtpPacket& packet) { return packet.source_port != port; });
        return RtpStream(std::move(packets));
    }

    static void expect_kept(const RtpStream& sent, double length_s) {
        const RtpVerdict verdict = sent.judge();
        EXPECT_NEAR(double(verdict.packets), length_s * 50, 2) << verdict.text();
        EXPECT_LE(verdict.longest_gap_ms, longest_gap_ms()) << verdict.text();
        EXPECT_EQ(verdict.ssrcs, 1U);
        EXPECT_EQ(verdict.sequence_breaks, 0U);
        EXPECT_EQ(verdict.timestamp_breaks, 0U);
        RecordProperty("verdict", verdict.text());
    }

    static void expect_caller_agrees(OffhookCall& call, milliseconds limit) {
        EXPECT_EQ(call.finish(limit), 0) << call.text();
        const Json report = call.report();
        EXPECT_EQ(report.text("verdict"), "held") << call.text();
    }

    std::vector<std::string> arguments(int length_s, const std::string& wav = {}) {
        std::vector<std::string> result{
            "--seconds",
            std::to_string(length_s),
            "--expect",
            "rate>=99.9,max_gap<=" + std::to_string(static_cast<int>(longest_gap_ms())) +
                (is_sanitized() ? ",ssrc=1" : ",p99_gap<=25,first_rtp<=20,ssrc=1")};
        if (!wav.empty()) {
            result.insert(result.end(), {"--wav", wav});
        }
        return result;
    }
};

// Three callers at once: an AI that says nothing, one that says 2 s at once and then nothing for 2
// s, and the echo.
TEST_F(PromiseTest, HoldsForAMinute) {
    constexpr int kLength_s = 60;
    start_all();
    const Sound sentence = spoken(folder_, 8000);
    write_wav(folder_ / "spoken.wav", sentence);
    OffhookCall mute(daemon_->uri("mute"), arguments(kLength_s));
    OffhookCall burst(daemon_->uri("burst"), arguments(kLength_s));
    OffhookCall echo(daemon_->uri("echo"), arguments(kLength_s, (folder_ / "spoken.wav").string()));
    expect_caller_agrees(mute, seconds(kLength_s + 30));
    expect_caller_agrees(burst, seconds(30));
    expect_caller_agrees(echo, seconds(30));

    const RtpStream to_mute = sent_to("mute");
    {
        SCOPED_TRACE("mute");
        expect_kept(to_mute, kLength_s);
        // Comfort noise: a line that lives, not a loud one.
        const double level = level_dbov(to_mute.sound("PCMU").samples);
        EXPECT_LT(level, -55);
        EXPECT_GT(level, -75);
    }
    const RtpStream to_burst = sent_to("burst");
    {
        SCOPED_TRACE("burst");
        expect_kept(to_burst, kLength_s);
        // Ten rising tones of 200 ms written at once, every 4 s: each whole and in its place, so
        // paced, nothing lost, nothing hurried.
        constexpr std::size_t kTones = 10;
        std::vector<double> pitches_hz;
        for (std::size_t index = 0; index < kTones; ++index) {
            pitches_hz.push_back(440 + 100.0 * double(index));
        }
        const std::vector<HeardTone> tones = heard_tones(to_burst.sound("PCMU"), pitches_hz);
        ASSERT_GE(tones.size(), 14 * kTones);
        for (std::size_t index = 0; index < tones.size(); ++index) {
            EXPECT_EQ(tones[index].frequency_hz, pitches_hz[index % kTones]) << "tone " << index;
            if (index + 1 < tones.size()) {
                EXPECT_NEAR(tones[index].length_s, 0.2, 0.03) << "tone " << index;
            }
            if (index > 0) {
                const double expected_s = index % kTones == 0 ? 2.2 : 0.2;
                EXPECT_NEAR(tones[index].start_s - tones[index - 1].start_s, expected_s, 0.05)
                    << "tone " << index;
            }
        }
    }
    const RtpStream to_echo = sent_to("echo");
    {
        SCOPED_TRACE("echo");
        expect_kept(to_echo, kLength_s);
        // The caller repeats its WAV; the first three rounds are heard in full.
        Sound three = sentence;
        three.append(sentence);
        three.append(sentence);
        const Sound heard = to_echo.sound("PCMU");
        EXPECT_TRUE(is_intact(three, heard));
        const std::vector<Match> matches = align(sentence, heard, 0.2, 1.5);
        ASSERT_FALSE(matches.empty());
        const double delay_s = matches.front().delay_s;
        EXPECT_EQ(heard_words(folder_, heard.part(delay_s, delay_s + sentence.seconds())), kWords);
    }
}

class PromiseFaultTest : public PromiseTest {
protected:
    static constexpr int kLength_s = 10;

    /// A call that speaks; returns once its sound arrives.
    std::unique_ptr<OffhookCall> call() {
        sentence_ = spoken(folder_, 8000);
        write_wav(folder_ / "spoken.wav", sentence_);
        auto result = std::make_unique<OffhookCall>(
            daemon_->uri("echo"), arguments(kLength_s, (folder_ / "spoken.wav").string()));
        EXPECT_TRUE(daemon_->wait_event("rtp.first_packet_received"));
        return result;
    }

    void expect_echo_intact() {
        const Sound heard = sent_to("echo").sound("PCMU");
        EXPECT_TRUE(
            is_intact(sentence_.part(0, std::min(sentence_.seconds(), kLength_s - 1.0)), heard));
    }

    Sound sentence_;
};

TEST_F(PromiseFaultTest, CallerStandsStillForTwoSeconds) {
    start_all();
    const auto caller = call();
    caller->process().signal(SIGSTOP);
    EXPECT_TRUE(stays_alive(daemon_->process(), seconds(2)));
    caller->process().signal(SIGCONT);
    caller->finish(seconds(40));
    // How long the call took in all is the caller's doing; every packet of it is ours.
    EXPECT_TRUE(keeps_promise(sent_to("echo").judge()));
}

TEST_F(PromiseFaultTest, SecondSourceSendsRtpToo) {
    start_all();
    const auto caller = call();
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::mt19937 random(4711);
    // 10 packets every 10 ms to each port the call may have: valid RTP of another SSRC, then
    // nonsense.
    for (int round = 0; round < 300; ++round) {
        for (int index = 0; index < 10; ++index) {
            std::string packet(172, '\0');
            std::generate(
                packet.begin(), packet.end(), [&] { return static_cast<char>(random()); });
            if (index % 2 == 0) {
                packet[0] = static_cast<char>(0x80);
                packet[1] = 0;
            }
            sockaddr_in peer{};
            peer.sin_family = AF_INET;
            peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            peer.sin_port =
                htons(static_cast<std::uint16_t>(daemon_->first_rtp_port() + random() % 8));
            ::sendto(fd,
                     packet.data(),
                     packet.size(),
                     MSG_DONTWAIT,
                     reinterpret_cast<const sockaddr*>(&peer),
                     sizeof peer);
        }
        ASSERT_TRUE(stays_alive(daemon_->process(), milliseconds(10)));
    }
    ::close(fd);
    expect_caller_agrees(*caller, seconds(40));
    expect_kept(sent_to("echo"), kLength_s);
    expect_echo_intact();
}

TEST_F(PromiseFaultTest, OperatorReloadsAllTheTime) {
    start_all();
    const auto caller = call();
    for (int round = 0; round < 200; ++round) {
        daemon_->process().signal(SIGHUP);
        ASSERT_TRUE(stays_alive(daemon_->process(), milliseconds(20)));
    }
    expect_caller_agrees(*caller, seconds(40));
    expect_kept(sent_to("echo"), kLength_s);
    expect_echo_intact();
}

TEST_F(PromiseFaultTest, TwoHundredCallsComeAndGoBesideIt) {
    start_all();
    const auto caller = call();
    OffhookCall crowd(
        daemon_->uri("crowd"),
        {"--calls", "200", "--rate", "50", "--seconds", "3", "--expect", "rate>=99.5,ssrc=1"});
    EXPECT_EQ(crowd.finish(seconds(60)), 0) << crowd.text();
    EXPECT_EQ(crowd.report().number("calls.answered"), 200);
    expect_caller_agrees(*caller, seconds(40));
    expect_kept(sent_to("echo"), kLength_s);
    expect_echo_intact();
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

// The one stall nobody can send through: the daemon itself stood still for a second. It skips the
// time, keeps the numbers contiguous and does not pour a second of packets at the caller.
TEST_F(PromiseFaultTest, DaemonItselfStandsStill) {
    start_all();
    const auto caller = call();
    daemon_->process().signal(SIGSTOP);
    EXPECT_TRUE(stays_alive(caller->process(), seconds(1)));
    daemon_->process().signal(SIGCONT);
    caller->finish(seconds(40));
    const RtpStream sent = sent_to("echo");
    const RtpVerdict verdict = sent.judge();
    EXPECT_EQ(verdict.ssrcs, 1U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    const std::vector<RtpPacket>& packets = sent.packets();
    ASSERT_GT(packets.size(), 100U);
    std::size_t after = 1;
    for (std::size_t index = 1; index < packets.size(); ++index) {
        if (packets[index].at_s - packets[index - 1].at_s >
            packets[after].at_s - packets[after - 1].at_s) {
            after = index;
        }
    }
    const double gap_s = packets[after].at_s - packets[after - 1].at_s;
    EXPECT_NEAR(gap_s, 1, 0.1);
    // Catching up: not more than 3 packets at once.
    const auto burst = std::count_if(
        packets.begin() + static_cast<std::ptrdiff_t>(after),
        packets.end(),
        [&](const RtpPacket& packet) { return packet.at_s < packets[after].at_s + 0.015; });
    EXPECT_LE(burst, 3);
    // And the RTP clock tells the time again: second by second over the whole call.
    const double clock_s = double(packets.back().timestamp - packets.front().timestamp) / 8000;
    EXPECT_NEAR(clock_s, packets.back().at_s - packets.front().at_s, 0.08);
}

}  // namespace
}  // namespace offhook::harness
