// SDES-SRTP with a phone not written by us: its words come back although nobody can read them on the
// way; and what the policy and a stranger can do.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "harness/call_test.h"
#include "harness/linphone.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

const std::string kFailures = "offhook_srtp_auth_failures_total";

/// Whether the payloads are as good as random: 8 bits of entropy a byte. Sound in G.711 has far less.
bool is_unreadable(const RtpStream& stream) {
    std::array<double, 256> seen{};
    double bytes = 0;
    for (const RtpPacket& packet : stream.packets()) {
        for (const std::uint8_t byte : packet.payload) ++seen[byte];
        bytes += double(packet.payload.size());
    }
    double bits = 0;
    for (const double count : seen) {
        if (count > 0) bits -= count / bytes * std::log2(count / bytes);
    }
    return bytes > 10'000 && bits > 7.8;
}

double number_at(Daemon& daemon, const std::string& metric) {
    const std::string page = daemon.get("/metrics").body;
    const auto at = page.find("\n" + metric + " ");
    return at == std::string::npos ? -1 : std::stod(page.substr(at + metric.size() + 2));
}

class SrtpTest : public CallTest {
protected:
    void SetUp() override {
        if (!baresip_has("PCMU")) GTEST_SKIP() << "Debian's baresip-core is not installed";
    }
};

class SrtpOfferTest : public SrtpTest, public testing::WithParamInterface<const char*> {};

// RTP/AVP with a=crypto (RFC 8643), RTP/SAVP and RTP/SAVPF.
TEST_P(SrtpOfferTest, BaresipHearsItsWordsAgain) {
    start();
    start_capture();
    Sound sentence = spoken(folder_, 8000);
    sentence.append_silence(0.6);
    Baresip baresip(folder_,
                    daemon_->uri(),
                    "PCMU",
                    sentence,
                    {.media_encryption = GetParam(), .keeps_what_it_hears = true});
    ASSERT_TRUE(baresip.is_established()) << baresip.process().output();
    const std::string id = daemon_->only_call();
    const Json call = daemon_->json("/api/v1/calls/" + id);
    EXPECT_EQ(call.text("srtp"), "AES_CM_128_HMAC_SHA1_80");
    EXPECT_NE(
        daemon_->get("/api/v1/calls/" + id).body.find("\"srtp_key_exchange_protected\":false"),
        std::string::npos)
        << "the keys came over UDP";
    ASSERT_TRUE(daemon_->wait_event("call.ended", seconds(60))) << baresip.process().output();
    baresip.quit();

    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    EXPECT_TRUE(is_unreadable(sent));
    EXPECT_TRUE(is_unreadable(inbound()));
    EXPECT_EQ(heard_words(folder_, baresip.heard()), kWords);
    EXPECT_LE(number_at(*daemon_, kFailures), 1) << "baresip 1.0.0 sends its RTCP BYE in the clear";
    EXPECT_EQ(number_at(*daemon_, "offhook_srtp_replays_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(Profiles,
                         SrtpOfferTest,
                         testing::Values("srtp", "srtp-mand", "srtp-mandf"),
                         [](const auto& one) {
                             std::string name = one.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

class SrtpSuiteTest : public SrtpTest, public testing::WithParamInterface<const char*> {};

// baresip offers one suite and takes all four; so our own caller offers them.
TEST_P(SrtpSuiteTest, SoundPassesBothWays) {
    const Sound theirs = tone(8000, 620, 30);
    Baresip baresip(folder_,
                    "",
                    "PCMU",
                    theirs,
                    {.media_encryption = "srtp-mand", .keeps_what_it_hears = true});
    const std::string uri = baresip.uri();
    ASSERT_FALSE(uri.empty()) << baresip.process().output();
    const Sound ours = tone(8000, 1040, 1);
    write_wav(folder_ / "ours.wav", ours);
    OffhookCall call(uri,
                     {"--seconds",
                      "3",
                      "--wav",
                      (folder_ / "ours.wav").string(),
                      "--record",
                      (folder_ / "heard.wav").string(),
                      std::string("--srtp=") + GetParam(),
                      "--expect",
                      "answered>=100,ssrc=1,lost=0"});
    EXPECT_EQ(call.finish(seconds(30)), 0) << call.text() << baresip.process().output();
    const Json report = call.report();
    EXPECT_EQ(report.text("srtp"), GetParam());
    EXPECT_EQ(report.number("srtp_refused"), 0);
    baresip.quit();
    const Sound by_us = read_wav(folder_ / "heard.wav").part(0.5, 2.5);
    const Sound by_them = baresip.heard().part(0.5, 2.5);
    EXPECT_GT(tone_level_dbov(by_us.samples, 8000, 620), -20);
    EXPECT_GT(tone_level_dbov(by_them.samples, 8000, 1040), -20);
    EXPECT_LT(tone_level_dbov(by_them.samples, 8000, 620), -40);
}

INSTANTIATE_TEST_SUITE_P(Suites,
                         SrtpSuiteTest,
                         testing::Values("AES_CM_128_HMAC_SHA1_80",
                                         "AES_CM_128_HMAC_SHA1_32",
                                         "AEAD_AES_128_GCM",
                                         "AEAD_AES_256_GCM"),
                         [](const auto& one) { return std::string(one.param); });

class SrtpLinphoneTest : public CallTest, public testing::WithParamInterface<const char*> {};

TEST_P(SrtpLinphoneTest, HearsAndIsHeard) {
    if (!has_linphone()) GTEST_SKIP() << "Debian's linphone-cli is not installed";
    const std::string suite = GetParam();
    start();
    start_capture();
    write_wav(folder_ / "theirs.wav", tone(8000, 620, 60));
    Linphone linphone(folder_, suite);
    ASSERT_TRUE(linphone.call(daemon_->uri())) << linphone.process().output();
    ASSERT_TRUE(linphone.play(folder_ / "theirs.wav"));
    const std::string path = "/api/v1/calls/" + daemon_->only_call();
    EXPECT_EQ(daemon_->json(path).text("srtp"), suite);
    EXPECT_TRUE(eventually(seconds(20), &linphone.process(), [&] {
        const Json call = daemon_->json(path);
        return call.number("stats.received_level_dbov") > -20 &&
               call.number("stats.received_packets") > 100;
    })) << daemon_->get(path).body;
    // It reports on what it opened. (With the short tag linphone 5.1 shortens that of its reports as
    // well, against RFC 4568 §6.2.2; they are refused.)
    if (suite == "AES_CM_128_HMAC_SHA1_80") {
        EXPECT_TRUE(eventually(seconds(30), &linphone.process(), [&] {
            return daemon_->json(path).number("stats.round_trip_ms") >= 0;
        })) << daemon_->get(path).body;
        EXPECT_EQ(daemon_->json(path).number("stats.remote_lost_packets"), 0);
        EXPECT_EQ(number_at(*daemon_, kFailures), 0);
    }
    linphone.quit();
    ASSERT_TRUE(daemon_->wait_event("call.ended"));
    EXPECT_TRUE(keeps_promise(outbound().judge()));
    EXPECT_TRUE(is_unreadable(outbound()));
    EXPECT_TRUE(is_unreadable(inbound()));
}

INSTANTIATE_TEST_SUITE_P(Suites,
                         SrtpLinphoneTest,
                         testing::Values("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"),
                         [](const auto& one) { return std::string(one.param); });

class SrtpPolicyTest : public CallTest {
protected:
    void start_with(const std::string& policy) {
        Daemon::Options options;
        options.rtp = "srtp = \"" + policy + "\"\n";
        start(options);
    }
    /// Exit code of a call of a second.
    int call(const std::vector<std::string>& arguments) {
        std::vector<std::string> all{"--seconds", "1", "--expect", "answered>=100"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        OffhookCall one(daemon_->uri(), all);
        return one.finish(seconds(20));
    }
    static constexpr int kNotAnswered = 69;
};

TEST_F(SrtpPolicyTest, RequireRefusesPlainOffersAndSaysWhy) {
    start_with("require");
    EXPECT_EQ(call({}), kNotAnswered);
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "not-acceptable");
    EXPECT_NE(ended->text("msg").find("SRTP"), std::string::npos);
    EXPECT_EQ(call({"--srtp"}), 0);
}

TEST_F(SrtpPolicyTest, OffRefusesWhatHasNoPlainLine) {
    start_with("off");
    EXPECT_EQ(call({"--srtp"}), kNotAnswered);
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_NE(ended->text("msg").find("SRTP"), std::string::npos);
    EXPECT_EQ(call({}), 0);
}

TEST_F(SrtpPolicyTest, PreferTakesBothAndTheBestSuite) {
    start_with("prefer");
    EXPECT_EQ(call({}), 0);
    OffhookCall one(daemon_->uri(), {"--seconds", "1", "--srtp", "--expect", "answered>=100"});
    EXPECT_EQ(one.finish(seconds(20)), 0);
    EXPECT_EQ(one.report().text("srtp"), "AEAD_AES_128_GCM");
}

// Garbage at the port of a live call.
TEST_F(SrtpPolicyTest, AStrangerIsCountedAndHarmsNothing) {
    start_with("prefer");
    OffhookCall call(daemon_->uri(), {"--seconds", "6", "--srtp", "--calls", "1"});
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));
    const auto answered = daemon_->wait_event("call.answered");
    ASSERT_TRUE(answered);
    const auto port = static_cast<std::uint16_t>(answered->number("rtp_port"));
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    // In bursts that fit the socket's buffer; each is seen counted before the next.
    constexpr int kBursts = 20;
    constexpr int kBurst = 100;
    for (int burst = 0; burst < kBursts; ++burst) {
        for (int i = 0; i < kBurst; ++i) {
            std::array<std::uint8_t, 188> packet{};
            packet.fill(static_cast<std::uint8_t>(i));
            packet[0] = 0x80;
            packet[1] = 0;
            packet[2] = static_cast<std::uint8_t>(burst);
            packet[3] = static_cast<std::uint8_t>(i);
            sendto(
                fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
        }
        const auto deadline = std::chrono::steady_clock::now() + seconds(5);
        while (number_at(*daemon_, kFailures) < (burst + 1) * kBurst &&
               std::chrono::steady_clock::now() < deadline) {
        }
    }
    close(fd);
    EXPECT_EQ(call.finish(seconds(30)), 0) << call.text();
    ASSERT_TRUE(daemon_->wait_event("call.ended"));
    EXPECT_EQ(number_at(*daemon_, kFailures), kBursts * kBurst);
    EXPECT_EQ(call.report().number("continuity.lost"), 0);
}

}  // namespace
}  // namespace offhook::harness
