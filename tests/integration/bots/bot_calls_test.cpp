#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>

#include "bots.h"
#include "harness/daemon.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

/// The same bots behind a call: what the caller says in mu-law is what they get, bit by bit, and the
/// other way round.
class BotsOnACall : public Bots {
protected:
    static constexpr int kSpeaksAt_ms = 1000, kInterruptsAt_ms = 4200;
    int hangs_up_at_ms_ = 6500;
    Bytes interruption_;  ///< mu-law; empty: what the caller said before
    std::string route_;   ///< more keys of it
    std::unique_ptr<Daemon> daemon_;
    Bytes said_, heard_;

    /// So much of a voice, from its first loud sample on.
    Bytes voice(int length_ms) {
        const Sound sound = speech(folder_, 8000, "hello hello, no, wait a moment please");
        const auto is_loud = [](std::int16_t sample) { return std::abs(sample) > 3000; };
        const auto first = std::find_if(sound.samples.begin(), sound.samples.end(), is_loud);
        const auto left = static_cast<std::size_t>(sound.samples.end() - first);
        Bytes bytes;
        ai::encode_samples(
            Encoding::Pcmu,
            std::span(first, std::min(left, static_cast<std::size_t>(length_ms) * 8)),
            bytes);
        return bytes;
    }
    void call(const std::string& ai) {
        Daemon::Options options;
        options.more = "[[ai]]\nname = \"bot\"\nurl = \"" + url_ + "\"\n" + ai +
                       "\n[[route]]\nname = \"all\"\nai = \"bot\"\nfill = \"silence\"\n" + route_;
        daemon_ = std::make_unique<Daemon>(folder_, options);
        said_ = sweep_bytes(8000, Encoding::Pcmu);
        std::vector<std::uint8_t> line(static_cast<std::size_t>(hangs_up_at_ms_) * 8, 0xFF);
        std::memcpy(line.data() + kSpeaksAt_ms * 8, said_.data(), said_.size());
        const Bytes& interruption = interruption_.empty() ? said_ : interruption_;
        std::memcpy(line.data() + kInterruptsAt_ms * 8, interruption.data(), interruption.size());
        OwnCaller caller("127.0.0.1", daemon_->sip_port());
        RtpEnd rtp("127.0.0.1");
        ASSERT_EQ(caller.invite({.port = rtp.port()}), 200);
        rtp.set_peer(caller.answer_port());
        rtp.exchange(packets_of(line, 20, 0), milliseconds(hangs_up_at_ms_));
        EXPECT_EQ(caller.bye(), 200);
        EXPECT_TRUE(eventually(seconds(10), bot_.get(), [&] {
            log_ = read_bot_log(folder_ / "log");
            return !std::isnan(time_of("closed"));
        }));
        constexpr std::size_t kRtpHeader = 12;
        for (const auto& packet : rtp.heard()) {
            if (packet.is_rtcp_port || packet.bytes.size() != kRtpHeader + 160) continue;
            const auto bytes = std::as_bytes(std::span(packet.bytes)).subspan(kRtpHeader);
            heard_.insert(heard_.end(), bytes.begin(), bytes.end());
        }
    }
};

/// 800 ms of the bots' tone in mu-law, from any of its 16 codes on.
Bytes tone_bytes() {
    constexpr unsigned char kCycle[] = {0xff,
                                        0xa6,
                                        0x98,
                                        0x92,
                                        0x90,
                                        0x92,
                                        0x98,
                                        0xa6,
                                        0xff,
                                        0x26,
                                        0x18,
                                        0x12,
                                        0x10,
                                        0x12,
                                        0x18,
                                        0x26};
    Bytes bytes;
    for (std::size_t i = 0; i < 6400; ++i) bytes.push_back(std::byte{kCycle[i % 16]});
    return bytes;
}

TEST_F(BotsOnACall, TwilioToNodesWs) {
    start_node("ws");
    if (!is_started()) return;
    call("protocol = \"twilio\"");
    EXPECT_NE(find_bytes(judge_stream(0), said_), kNowhere);
    EXPECT_NE(find_bytes(heard_, tone_bytes()), kNowhere);
    const double first_ms = time_got({R"("event":"mark")", R"({"name":"first"})"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    EXPECT_LE(first_ms - time_of("answer"), 1300);
    const double second_ms = time_got({R"("event":"mark")", R"({"name":"second"})"});
    EXPECT_GE(second_ms, time_of("clear"));
    EXPECT_LE(second_ms - time_of("clear"), 150);
}

// Twilio has no word for it: what the caller does afterwards decides.
TEST_F(BotsOnACall, ACoughIsTakenBack) {
    start_node("ws", {"--deaf"});
    if (!is_started()) return;
    route_ = "barge_in = \"detect\"\n";
    interruption_ = voice(200);
    hangs_up_at_ms_ = 10'500;
    call("protocol = \"twilio\"");
    // 5 s of sound, and a second in which it waited for the bot's word.
    const double took_ms = time_got({R"({"name":"second"})"}) - time_of("answer");
    EXPECT_GE(took_ms, 5700);
    EXPECT_LE(took_ms, 6700);
}

TEST_F(BotsOnACall, ASentenceIsNot) {
    start_node("ws", {"--deaf"});
    if (!is_started()) return;
    route_ = "barge_in = \"detect\"\n";
    interruption_ = voice(1800);
    hangs_up_at_ms_ = 10'500;
    call("protocol = \"twilio\"");
    const double took_ms = time_got({R"({"name":"second"})"}) - time_of("answer");
    EXPECT_GE(took_ms, 1500);
    EXPECT_LE(took_ms, 4000);
}

TEST_F(BotsOnACall, TwilioToAnNpmPackageThatKeepsTheSound) {
    start_node("saver");
    if (!is_started()) return;
    call("protocol = \"twilio\"");
    EXPECT_NE(find_bytes(judge_stream(0), said_), kNowhere);
    EXPECT_FALSE(std::isnan(time_of("saved")));
}

TEST_F(BotsOnACall, TwilioToOpenAisTransport) {
    start_node("openai");
    if (!is_started()) return;
    call("protocol = \"twilio\"");
    EXPECT_NE(find_bytes(judge_stream(0), said_), kNowhere);
    EXPECT_NE(find_bytes(heard_, tone_bytes()), kNowhere);
    EXPECT_FALSE(std::isnan(time_of("truncate")));
}

TEST_F(BotsOnACall, PlainToPython) {
    start_python("plain_bot.py", {"--schema", bot_setting("OFFHOOK_PLAIN_SCHEMA")});
    if (!is_started()) return;
    call("protocol = \"plain\"\nsample_rate_hz = 8000");
    Bytes sound;
    for (const BotLine& line : log_) {
        sound.insert(sound.end(), line.sound.begin(), line.sound.end());
        EXPECT_EQ(line.note.find("schema"), std::string::npos) << line.line;
    }
    std::vector<std::int16_t> samples;
    ai::decode_samples(Encoding::Pcmu, said_, samples);
    Bytes expected;
    ai::encode_samples(Encoding::Pcm, samples, expected);
    EXPECT_NE(find_bytes(sound, expected), kNowhere);
    const std::vector<std::string> all = texts(0, R"({"type":"start")");
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back(), R"({"type":"stop","reason":"caller-hangup"})");
    EXPECT_NE(all[0].find(R"("codec":"PCMU")"), std::string::npos) << all[0];
    const double first_ms = time_got({R"("name":"first","state":"played")"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    const double second_ms = time_got({R"("name":"second","state":"cleared")"});
    EXPECT_LE(second_ms - time_of("clear"), 150);
}

}  // namespace
}  // namespace offhook::harness
