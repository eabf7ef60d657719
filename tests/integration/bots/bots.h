#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "bot_log.h"
#include "harness/http.h"
#include "harness/process.h"
#include "harness/sound.h"
#include "model/wav.h"

namespace offhook::harness {

using ai::Encoding;
using ai::Message;
using Bytes = std::vector<std::byte>;

inline constexpr int kSpeechHz = 16000;

inline std::string bot_setting(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// A rise from 300 to 3000 Hz in 1.5 s: no part of it is like another.
inline Sound sweep() {
    Sound sound{.rate_hz = kSpeechHz, .samples = {}};
    double phase = 0;
    const int count = kSpeechHz * 3 / 2;
    for (int i = 0; i < count; ++i) {
        phase += 2 * M_PI * (300 + 2700.0 * i / count) / kSpeechHz;
        sound.samples.push_back(static_cast<std::int16_t>(9000 * std::sin(phase)));
    }
    return sound;
}

inline Bytes sweep_bytes(std::uint32_t rate_hz, Encoding encoding) {
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
        std::vector<std::string> argv{"/usr/bin/python3",
                                      bot_setting("OFFHOOK_BOTS") + "/" + script};
        argv.insert(argv.end(), more.begin(), more.end());
        start(argv);
    }
    void start_node(const std::string& bot, const std::vector<std::string>& more = {}) {
        const std::string modules = bot_setting("OFFHOOK_BOT_MODULES");
        if (!has_program("node") || !std::filesystem::exists(modules + "/installed"))
            GTEST_SKIP() << "no npm packages in " << modules << "; scripts/bots fetches them";
        std::vector<std::string> argv{"node",
                                      bot_setting("OFFHOOK_BOTS") + "/twilio_bots.mjs",
                                      "--modules",
                                      modules,
                                      "--bot",
                                      bot,
                                      "--wav",
                                      (folder_ / "said.wav").string()};
        argv.insert(argv.end(), more.begin(), more.end());
        start(argv);
    }
    [[nodiscard]] bool is_started() const { return !url_.empty(); }
    /// Calls the bot, then ends it: its log is whole.
    void check(const std::string& protocol, const std::vector<std::string>& more = {}) {
        write_wav(folder_ / "sweep.wav", sweep());
        std::vector<std::string> argv{bot_setting("OFFHOOK_PROGRAM"),
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

}  // namespace offhook::harness
