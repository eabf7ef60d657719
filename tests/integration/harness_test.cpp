// The judge is judged first: a capture, a decoder or a recogniser that is wrong would pass
// anything.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cmath>

#include "harness/capture.h"
#include "harness/g711.h"
#include "harness/http.h"
#include "harness/process.h"
#include "harness/rtp_judge.h"
#include "harness/sound.h"

namespace offhook::harness {
namespace {

TEST(ProcessTest, TellsExitCodeAndOutput) {
    Process process({"sh", "-c", "echo out; echo err >&2; exit 7"});
    EXPECT_EQ(process.wait(seconds(10)), 7);
    EXPECT_TRUE(process.wait_output("out", seconds(5)));
    EXPECT_TRUE(process.wait_output("err", seconds(5)));
}

TEST(ProcessTest, KillsTheWholeGroup) {
    pid_t child = 0;
    {
        Process process({"sh", "-c", "sleep 1000 & echo $!; wait"});
        ASSERT_TRUE(process.wait_output("\n", seconds(10)));
        child = std::stoi(process.output());
        EXPECT_EQ(::kill(child, 0), 0);
    }
    // Its parent is gone; init, or whoever stands in for it, reaps it.
    EXPECT_TRUE(eventually(seconds(10), nullptr, [&] {
        const std::string stat = "/proc/" + std::to_string(child) + "/stat";
        std::string text;
        if (FILE* file = std::fopen(stat.c_str(), "r"); file != nullptr) {
            std::array<char, 512> line{};
            text.assign(line.data(), std::fread(line.data(), 1, line.size(), file));
            std::fclose(file);
        }
        return text.empty() || text.find(") Z ") != std::string::npos;
    }));
}

TEST(ProcessTest, KillsStoppedOnes) {
    const auto start = Clock::now();
    {
        Process process({"sleep", "1000"});
        process.signal(SIGSTOP);
    }
    EXPECT_LT(Clock::now() - start, seconds(5));
}

TEST(ProcessTest, ReadsTheReadyLine) {
    Process::Options options;
    options.has_ready_fd = true;
    Process process({"sh", "-c", "echo http://127.0.0.1:1 udp:127.0.0.1:2 >&3; cat"}, options);
    EXPECT_EQ(process.ready_line(seconds(10)), "http://127.0.0.1:1 udp:127.0.0.1:2");
}

TEST(JsonTest, FindsByPath) {
    const Json json(R"({"items":[{"id":"a","stats":{"sent_packets":17,"ok":true}}]})");
    EXPECT_EQ(json.size("items"), 1U);
    EXPECT_EQ(json.text("items.0.id"), "a");
    EXPECT_EQ(json.number("items.0.stats.sent_packets"), 17);
    EXPECT_EQ(json.number("items.0.stats.ok"), 1);
    EXPECT_TRUE(std::isnan(json.number("items.1.id")));
    EXPECT_FALSE(Json("not json").is_valid());
}

TEST(SoundTest, MeasuresLevelAndTone) {
    const Sound sound = tone(8000, 440, 1, -20);
    EXPECT_NEAR(level_dbov(sound.samples), -20, 0.2);
    EXPECT_NEAR(tone_level_dbov(sound.samples, 8000, 440), -20, 0.5);
    EXPECT_LT(tone_level_dbov(sound.samples, 8000, 700), -50);
}

TEST(SoundTest, HearsTonesInOrder) {
    Sound sound{8000, {}};
    sound.append_silence(0.1);
    sound.append(tone(8000, 500, 0.3));
    sound.append_silence(0.2);
    sound.append(tone(8000, 900, 0.2));
    sound.append(tone(8000, 500, 0.1));
    const auto heard = heard_tones(sound, {500, 900, 1500});
    ASSERT_EQ(heard.size(), 3U);
    EXPECT_EQ(heard[0].frequency_hz, 500);
    EXPECT_NEAR(heard[0].start_s, 0.1, 0.011);
    EXPECT_NEAR(heard[0].length_s, 0.3, 0.021);
    EXPECT_EQ(heard[1].frequency_hz, 900);
    EXPECT_NEAR(heard[1].start_s, 0.6, 0.011);
    EXPECT_EQ(heard[2].frequency_hz, 500);
    EXPECT_NEAR(heard[2].length_s, 0.1, 0.021);
}

TEST(SoundTest, FindsEveryPieceOfSpeechAgain) {
    const TempDir folder;
    const Sound sent = speech(folder, 8000, "yesterday hospital");
    Sound heard{8000, {}};
    heard.append_silence(0.25);
    for (const std::int16_t sample : sent.samples) {
        heard.samples.push_back(from_mulaw(mulaw_of(sample)));
    }
    const std::vector<Match> matches = align(sent, heard, 0.2, 0.5);
    ASSERT_GT(matches.size(), 4U);
    for (const Match& match : matches) {
        EXPECT_GT(match.similarity, 0.98) << "at " << match.sent_s;
        EXPECT_NEAR(match.delay_s, 0.25, 0.0002) << "at " << match.sent_s;
    }
}

TEST(SoundTest, DoesNotFindWhatIsMissing) {
    const TempDir folder;
    const Sound sent = speech(folder, 8000, "yesterday hospital");
    Sound heard = sent;
    std::fill(heard.samples.begin() + 2000, heard.samples.begin() + 4000, std::int16_t{0});
    double worst = 1;
    for (const Match& match : align(sent, heard, 0.2, 0.1)) {
        worst = std::min(worst, match.similarity);
    }
    EXPECT_LT(worst, 0.8);
}

TEST(SoundTest, RecognisesWordsAfterATelephoneLine) {
    const TempDir folder;
    Sound sound = spoken(folder, 8000);
    for (std::int16_t& sample : sound.samples) {
        sample = from_mulaw(mulaw_of(sample));
    }
    EXPECT_EQ(heard_words(folder, sound), kWords);
}

TEST(G711Test, RoundTripsWithinItsStep) {
    for (int sample = -32000; sample <= 32000; sample += 37) {
        const int back = from_mulaw(mulaw_of(static_cast<std::int16_t>(sample)));
        EXPECT_LE(std::abs(back - sample), std::abs(sample) / 16 + 8) << sample;
    }
    EXPECT_EQ(from_mulaw(0xff), 0);
    EXPECT_EQ(from_mulaw(0x00), -32124);
    EXPECT_EQ(from_alaw(0xd5), 8);
    EXPECT_EQ(from_alaw(0x2a), -32256);
}

class WireTest : public testing::Test {
protected:
    WireTest() {
        for (Peer& peer : peers_) {
            peer.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            // Even ports only: the odd neighbour would be RTCP's.
            for (std::uint16_t port = 19000; port < 20000;
                 port = static_cast<std::uint16_t>(port + 2)) {
                peer.address.sin_family = AF_INET;
                peer.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                peer.address.sin_port = htons(port);
                if (::bind(peer.fd,
                           reinterpret_cast<const sockaddr*>(&peer.address),
                           sizeof peer.address) == 0) {
                    break;
                }
            }
        }
    }
    ~WireTest() override {
        for (const Peer& peer : peers_) {
            ::close(peer.fd);
        }
    }

    void send(std::uint16_t sequence,
              std::uint32_t timestamp,
              std::uint8_t type,
              const std::vector<std::uint8_t>& payload) {
        std::vector<std::uint8_t> packet{0x80,
                                         type,
                                         static_cast<std::uint8_t>(sequence >> 8),
                                         static_cast<std::uint8_t>(sequence)};
        for (const std::uint32_t word : {timestamp, 0x01020304U}) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                packet.push_back(static_cast<std::uint8_t>(word >> shift));
            }
        }
        packet.insert(packet.end(), payload.begin(), payload.end());
        ::sendto(peers_[0].fd,
                 packet.data(),
                 packet.size(),
                 0,
                 reinterpret_cast<const sockaddr*>(&peers_[1].address),
                 sizeof peers_[1].address);
    }

    struct Peer {
        int fd = -1;
        sockaddr_in address{};
    };
    std::array<Peer, 2> peers_;
    TempDir folder_;
};

TEST_F(WireTest, ReadsWhatWasSent) {
    Capture capture(folder_, "udp portrange 19000-19999");
    std::vector<std::uint8_t> payload(160, 0xff);
    payload[1] = 0x10;
    for (std::uint16_t index = 0; index < 10; ++index) {
        send(static_cast<std::uint16_t>(65533 + index), 0xffffff00U + 160U * index, 0, payload);
    }
    const auto from_us = streams(capture.rtp(19000, 19999), 19000, 19999, true);
    ASSERT_EQ(from_us.size(), 1U);
    const RtpVerdict verdict = from_us[0].judge();
    EXPECT_EQ(verdict.packets, 10U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U);
    EXPECT_EQ(verdict.timestamp_breaks, 0U);
    EXPECT_EQ(verdict.ssrcs, 1U);
    EXPECT_EQ(from_us[0].packets()[3].payload, payload);
    const Sound sound = from_us[0].sound("PCMU");
    ASSERT_EQ(sound.samples.size(), 1600U);
    EXPECT_EQ(sound.samples[161], from_mulaw(0x10));
}

TEST_F(WireTest, CountsBreaksAndFillsHoles) {
    Capture capture(folder_, "udp portrange 19000-19999");
    const std::vector<std::uint8_t> payload(160, 0x10);
    send(1, 0, 0, payload);
    send(2, 160, 0, payload);
    send(4, 480, 0, payload);
    send(5, 800, 0, payload);
    const auto from_us = streams(capture.rtp(19000, 19999), 19000, 19999, true);
    ASSERT_EQ(from_us.size(), 1U);
    EXPECT_EQ(from_us[0].judge().sequence_breaks, 1U);
    EXPECT_EQ(from_us[0].judge().timestamp_breaks, 2U);
    EXPECT_EQ(from_us[0].sound("PCMU").samples.size(), 960U);
}

TEST_F(WireTest, DissectsDigits) {
    Capture capture(folder_, "udp portrange 19000-19999");
    send(1, 160, 101, {5, 10, 0, 160});
    send(2, 160, 101, {5, 0x8a, 1, 64});
    const std::vector<DtmfPacket> digits = capture.dtmf(19000, 19999, 101);
    ASSERT_EQ(digits.size(), 2U);
    EXPECT_EQ(digits[0].digit, '5');
    EXPECT_FALSE(digits[0].is_end);
    EXPECT_TRUE(digits[1].is_end);
    EXPECT_EQ(digits[1].duration_rtp, 320);
}

}  // namespace
}  // namespace offhook::harness
