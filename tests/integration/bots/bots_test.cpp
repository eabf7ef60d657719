#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "bot_log.h"
#include "harness/http.h"
#include "harness/process.h"
#include "harness/sound.h"
#include "model/wav.h"

namespace offhook::harness {
namespace {

using ai::Encoding;
using ai::Message;
using Bytes = std::vector<std::byte>;

constexpr int kSpeechHz = 16000;

std::string setting(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// A rise from 300 to 3000 Hz in 1.5 s: no part of it is like another.
Sound sweep() {
    Sound sound{.rate_hz = kSpeechHz, .samples = {}};
    double phase = 0;
    const int count = kSpeechHz * 3 / 2;
    for (int i = 0; i < count; ++i) {
        phase += 2 * M_PI * (300 + 2700.0 * i / count) / kSpeechHz;
        sound.samples.push_back(static_cast<std::int16_t>(9000 * std::sin(phase)));
    }
    return sound;
}

Bytes sweep_bytes(std::uint32_t rate_hz, Encoding encoding) {
    Bytes bytes;
    ai::encode_samples(encoding, model::resample(sweep().samples, kSpeechHz, rate_hz), bytes);
    return bytes;
}

/// A bot in a process of its own, called by `offhook ai check`.
class Bots : public testing::Test {
protected:
    TempDir folder_;
    std::unique_ptr<Process> bot_;
    std::string url_;
    std::unique_ptr<Json> result_;
    int exit_code_ = -1;
    std::vector<BotLine> log_;

    void start(std::vector<std::string> argv) {
        argv.insert(argv.end(), {"--log", (folder_ / "log").string()});
        bot_ = std::make_unique<Process>(
            argv, Process::Options{.folder = {}, .env = {}, .input = {}, .has_ready_fd = true});
        const std::string line = bot_->ready_line(seconds(20));
        ASSERT_TRUE(line.starts_with("ready ")) << bot_->output();
        url_ = line.substr(6);
    }
    void start_python(const std::string& script, const std::vector<std::string>& more = {}) {
        std::vector<std::string> argv{"/usr/bin/python3", setting("OFFHOOK_BOTS") + "/" + script};
        argv.insert(argv.end(), more.begin(), more.end());
        start(argv);
    }
    void start_node(const std::string& bot) {
        const std::string modules = setting("OFFHOOK_BOT_MODULES");
        if (!has_program("node") || !std::filesystem::exists(modules + "/installed"))
            GTEST_SKIP() << "no npm packages in " << modules << "; scripts/bots fetches them";
        start({"node",
               setting("OFFHOOK_BOTS") + "/twilio_bots.mjs",
               "--modules",
               modules,
               "--bot",
               bot,
               "--wav",
               (folder_ / "said.wav").string()});
    }
    [[nodiscard]] bool is_started() const { return !url_.empty(); }
    /// Calls the bot, then ends it: its log is whole.
    void check(const std::string& protocol, const std::vector<std::string>& more = {}) {
        write_wav(folder_ / "sweep.wav", sweep());
        std::vector<std::string> argv{setting("OFFHOOK_PROGRAM"),
                                      "ai",
                                      "check",
                                      url_,
                                      "--protocol",
                                      protocol,
                                      "--json",
                                      "--wav",
                                      (folder_ / "sweep.wav").string()};
        argv.insert(argv.end(), more.begin(), more.end());
        Process program(argv);
        program.wait_output("\n", seconds(90));
        exit_code_ = program.wait(seconds(5)).value_or(-1);
        output_ = program.output();
        result_ = std::make_unique<Json>(output_);
        bot_->stop();
        log_ = read_bot_log(folder_ / "log");
    }
    void TearDown() override {
        if (HasFailure()) {
            ADD_FAILURE() << "offhook ai check: " << output_
                          << "\nthe bot: " << (bot_ ? bot_->output() : "");
        }
    }

    [[nodiscard]] std::string state(const std::string& name) const {
        for (std::size_t i = 0; i < result_->size("checks"); ++i) {
            const std::string at = "checks." + std::to_string(i) + ".";
            if (result_->text(at + "name") == name) return result_->text(at + "state");
        }
        return "missing";
    }
    [[nodiscard]] double time_of(const std::string& note) const {
        for (const BotLine& line : log_)
            if (line.note == note) return line.at_ms;
        return NAN;
    }
    /// When a text of Offhook came that contains all of `parts`.
    [[nodiscard]] double time_got(const std::vector<std::string>& parts) const {
        for (const BotLine& line : log_) {
            if (line.got.empty()) continue;
            bool has_all = true;
            for (const std::string& part : parts)
                has_all = has_all && line.got.find(part) != std::string::npos;
            if (has_all) return line.at_ms;
        }
        return NAN;
    }
    /// The texts of one connection, the first being 0; each begins with `first`.
    [[nodiscard]] std::vector<std::string> texts(int connection, const std::string& first) const {
        std::vector<std::string> out;
        int current = -1;
        for (const BotLine& line : log_) {
            if (line.got.starts_with(first)) ++current;
            if (current == connection && !line.got.empty()) out.push_back(line.got);
        }
        return out;
    }

    // of Twilio

    static constexpr const char* kConnected =
        R"({"event":"connected","protocol":"Call","version":"1.0.0"})";

    /// One connection from `connected` to `stop`: the order, numbers and text of everything.
    /// @return the caller's sound
    Bytes judge_stream(int connection) {
        const std::vector<std::string> all = texts(connection, R"({"event":"connected")");
        Bytes sound;
        if (all.size() < 10) {
            ADD_FAILURE() << "connection " << connection << " has " << all.size() << " messages";
            return sound;
        }
        EXPECT_EQ(all[0], kConnected);
        const auto start = Message::read(all[1]);
        EXPECT_TRUE(start && start->text("event") == "start") << all[1];
        const std::string stream(start->text("streamSid").value_or(""));
        EXPECT_TRUE(std::regex_match(stream, std::regex("MZ[0-9a-f]{32}"))) << stream;
        std::uint64_t chunk = 0;
        for (std::size_t i = 1; i < all.size(); ++i) {
            const auto message = Message::read(all[i]);
            if (!message) {
                ADD_FAILURE() << all[i];
                return sound;
            }
            EXPECT_EQ(message->text("sequenceNumber"), std::to_string(i)) << all[i];
            EXPECT_EQ(message->text("streamSid"), stream) << all[i];
            if (message->text("event") != "media") continue;
            ++chunk;
            const std::string payload(message->text("media.payload").value_or(""));
            EXPECT_EQ(all[i],
                      R"({"event":"media","sequenceNumber":")" + std::to_string(i) +
                          R"(","streamSid":")" + stream +
                          R"(","media":{"track":"inbound","chunk":")" + std::to_string(chunk) +
                          R"(","timestamp":")" + std::to_string(chunk * 20) + R"(","payload":")" +
                          payload + R"("}})");
            Bytes bytes;
            EXPECT_TRUE(ai::decode_base64(payload, bytes));
            EXPECT_EQ(bytes.size(), 160U);
            sound.insert(sound.end(), bytes.begin(), bytes.end());
        }
        EXPECT_TRUE(all.back().starts_with(R"({"event":"stop",)")) << all.back();
        return sound;
    }
    /// What the bot of the other side was told of its marks, and of the first connection.
    void judge_second_stream() {
        judge_stream(1);
        const std::vector<std::string> all = texts(1, R"({"event":"connected")");
        ASSERT_GT(all.size(), 60U);
        EXPECT_NE(all[1].find(R"("offhook_attempt":"2")"), std::string::npos) << all[1];
        EXPECT_NE(all[2].find(R"("offhook":{"replay":"begin","ms":1000})"), std::string::npos);
        EXPECT_NE(all[53].find(R"("offhook":{"replay":"end"})"), std::string::npos) << all[53];
        const auto sid = [](const std::string& text, const char* path) {
            return std::string(Message::read(text)->text(path).value_or(""));
        };
        const std::string first = texts(0, R"({"event":"connected")")[1];
        EXPECT_EQ(sid(first, "start.callSid"), sid(all[1], "start.callSid"));
        EXPECT_EQ(sid(first, "start.accountSid"), sid(all[1], "start.accountSid"));
        EXPECT_NE(sid(first, "streamSid"), sid(all[1], "streamSid"));
    }
    void judge_closes() {
        int closed = 0;
        for (const BotLine& line : log_) {
            if (line.note != "closed") continue;
            ++closed;
            EXPECT_NE(line.line.find("1000"), std::string::npos) << line.line;
        }
        EXPECT_EQ(closed, 2);
        EXPECT_TRUE(std::isnan(time_of("error")));
    }
    void judge_passed() {
        EXPECT_EQ(exit_code_, 0);
        for (const char* name : {"handshake",
                                 "first-message",
                                 "sound-to-the-bot",
                                 "sound-of-the-bot",
                                 "pace",
                                 "messages",
                                 "dtmf",
                                 "end",
                                 "handshake-again",
                                 "replay"}) {
            EXPECT_EQ(state(name), "ok") << name;
        }
    }

private:
    std::string output_;
};

TEST_F(Bots, TwilioToNodesWs) {
    start_node("ws");
    if (!is_started()) return;
    std::ofstream(folder_ / "token") << "12345";
    std::filesystem::permissions(folder_ / "token", std::filesystem::perms::owner_read);
    check("twilio", {"--signature-file", (folder_ / "token").string(), "--parameter", "shop=7"});
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    EXPECT_EQ(state("marks"), "ok");
    EXPECT_NE(find_bytes(judge_stream(0), sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    judge_second_stream();
    judge_closes();
    EXPECT_NE(texts(0, kConnected)[1].find(R"("customParameters":{"shop":"7",)"),
              std::string::npos);
    // A second of sound stood before the first mark, and the last one went with `clear`.
    const double first_ms = time_got({R"("event":"mark")", R"({"name":"first"})"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    EXPECT_LE(first_ms - time_of("answer"), 1500);
    const double second_ms = time_got({R"("event":"mark")", R"({"name":"second"})"});
    EXPECT_GE(second_ms, time_of("clear"));
    EXPECT_LE(second_ms - time_of("clear"), 150);
    const std::string signature = run(
        {"sh", "-c", "printf %s '" + url_ + "' | openssl dgst -sha1 -hmac 12345 -binary | base64"});
    EXPECT_NE(log_[0].line.find("\"signature\":\"" + signature.substr(0, signature.find('\n'))),
              std::string::npos)
        << log_[0].line;
    EXPECT_NE(time_got({R"("event":"dtmf")", R"("dtmf":{"track":"inbound_track","digit":"5"})"}),
              NAN);
}

TEST_F(Bots, TwilioToAnNpmPackageThatKeepsTheSound) {
    start_node("saver");
    if (!is_started()) return;
    check("twilio", {"--patience", "1"});
    EXPECT_EQ(exit_code_, 1);  // it says nothing
    EXPECT_EQ(state("sound-of-the-bot"), "failed");
    EXPECT_EQ(state("sound-to-the-bot"), "ok");
    EXPECT_EQ(state("end"), "ok");
    judge_stream(0);
    // The second connection's file took the place of the first: it has what that one heard.
    const Bytes said = judge_stream(1);
    std::ifstream file(folder_ / "said.wav", std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    const std::string wav = content.str();
    constexpr std::size_t kHeader = 58;
    ASSERT_EQ(wav.size(), kHeader + said.size());
    EXPECT_EQ(std::memcmp(wav.data() + kHeader, said.data(), said.size()), 0);
    EXPECT_FALSE(std::isnan(time_of("saved")));
}

TEST_F(Bots, TwilioToOpenAisTransport) {
    start_node("openai");
    if (!is_started()) return;
    check("twilio");
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    judge_stream(0);
    judge_closes();
    // All that the caller said came through the package to the service behind it.
    Bytes appended;
    double played_ms = NAN;
    double since_answer_ms = NAN;
    for (const BotLine& line : log_) {
        const auto entry = Message::read(line.line);
        ASSERT_TRUE(entry);
        Bytes bytes;
        if (const auto audio = entry->text("audio"); audio && ai::decode_base64(*audio, bytes))
            appended.insert(appended.end(), bytes.begin(), bytes.end());
        if (line.note == "truncate") played_ms = entry->number("audio_end_ms").value_or(NAN);
        if (line.note == "speech_started" && std::isnan(since_answer_ms))
            since_answer_ms = entry->number("since_answer").value_or(NAN);
    }
    EXPECT_NE(find_bytes(appended, sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    // It counts the marks that came back, one for each 100 ms, and adds 50: that is what has really
    // played, of 5 s that it gave in one burst.
    EXPECT_GT(since_answer_ms, 900);
    EXPECT_NEAR(played_ms, since_answer_ms, 250);
}

TEST_F(Bots, TwilioToPython) {
    start_python("twilio_bot.py");
    if (!is_started()) return;
    check("twilio");
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    EXPECT_NE(find_bytes(judge_stream(0), sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    judge_second_stream();
    judge_closes();
    EXPECT_FALSE(std::isnan(time_of("stop")));
    const double mark_ms = time_got({R"("event":"mark")", R"({"name":"second-1"})"});
    EXPECT_GE(mark_ms - time_of("answer"), 980);
}

TEST_F(Bots, PlainToPython) {
    start_python("plain_bot.py", {"--schema", setting("OFFHOOK_PLAIN_SCHEMA")});
    if (!is_started()) return;
    check("plain", {"--sample-rate", "24000"});
    judge_passed();
    for (const char* name : {"interruption", "barge-in", "marks", "verbs", "unknown-types"})
        EXPECT_EQ(state(name), "ok") << name;
    judge_closes();
    for (const BotLine& line : log_)
        EXPECT_EQ(line.note.find("schema"), std::string::npos) << line.line;
    const std::vector<std::string> all = texts(0, R"({"type":"start")");
    ASSERT_GT(all.size(), 10U);
    EXPECT_NE(all[0].find(
                  R"("audio":{"encoding":"s16le","sample_rate":24000,"channels":1,"frame_ms":20})"),
              std::string::npos);
    EXPECT_EQ(all.back(), R"({"type":"stop","reason":"caller-hangup"})");
    Bytes sound;
    for (const BotLine& line : log_) {
        if (line.sound.empty()) continue;
        EXPECT_EQ(line.sound.size(), 960U);
        sound.insert(sound.end(), line.sound.begin(), line.sound.end());
    }
    EXPECT_NE(find_bytes(sound, sweep_bytes(24000, Encoding::Pcm)), kNowhere);
    const double first_ms = time_got({R"("name":"first","state":"played","played_ms":1000)"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    const double second_ms = time_got({R"("name":"second","state":"cleared")"});
    EXPECT_LE(second_ms - time_of("clear"), 150);
    EXPECT_FALSE(
        std::isnan(time_got({R"({"type":"verb","verb":"transfer","id":"t1","state":"refused")"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"dropped","from_ms":)"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"played-to","ms":)"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"dtmf","digit":"5","duration_ms":100})"})));
    const std::vector<std::string> again = texts(1, R"({"type":"start")");
    ASSERT_GE(again.size(), 4U);
    EXPECT_NE(again[0].find(R"("connection":{"attempt":2,"gap_ms":500,)"), std::string::npos);
    EXPECT_EQ(again[1], R"({"type":"replay","state":"begin","ms":1000})");
    EXPECT_EQ(again[2], R"({"type":"replay","state":"end"})");
}

TEST_F(Bots, ThereIsNone) {
    start_python("twilio_bot.py");
    if (!is_started()) return;
    bot_->stop();
    check("twilio");
    EXPECT_EQ(exit_code_, 1);
    EXPECT_EQ(state("handshake"), "failed");
    EXPECT_EQ(result_->size("checks"), 1U);
    EXPECT_NE(result_->text("checks.0.advice").find("start the bot"), std::string::npos);
}

}  // namespace
}  // namespace offhook::harness
