// Who interrupts a bot, through the whole program: callers whose telephones send our own sound back
// 200 ms later and 20 dB quieter, over plain RTP and SDES-SRTP.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "harness/call_test.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

constexpr double kCallS = 20;
constexpr double kSpeaksAtS = 4;

struct Event {
    std::string type, state;
    double heard_ms = 0, at_ms = 0, played_ms = 0, from_ms = 0, to_ms = 0;
};

class BargeInTest : public CallTest {
protected:
    void SetUp() override {
        const Sound talk = fluent(
            "Good afternoon, and thank you for calling the bakery. I take the orders while "
            "everybody is busy at the ovens. Today there are rye loaves, cinnamon rolls, "
            "and a lemon tart with almonds.");
        talk_s_ = talk.seconds();
        const Sound answer = fluent("I am listening.");
        answer_s_ = answer.seconds();
        bot_ = std::make_unique<Process>(
            std::vector<std::string>{"/usr/bin/python3",
                                     std::string(std::getenv("OFFHOOK_TALKER")),
                                     raw("talk.raw", talk),
                                     raw("answer.raw", answer)},
            Process::Options{.folder = {}, .env = {}, .input = {}, .has_ready_fd = true});
        std::string port = bot_->ready_line(seconds(20));
        ASSERT_FALSE(port.empty()) << bot_->output();
        while (port.back() == '\n') port.pop_back();

        Sound words{8000, {}};
        words.append_silence(kSpeaksAtS);
        words.append(fluent("Wait a moment please, I want some bread."));
        said_s_ = words.seconds() - kSpeaksAtS;
        words.append_silence(60);
        write_wav(folder_ / "words.wav", words);
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"talker\"\nprotocol = \"plain\"\nsample_rate_hz = 8000\n"
            "url = \"ws://127.0.0.1:" +
            port + "\"\n[[route]]\nname = \"any\"\nai = \"talker\"\nbarge_in = \"detect\"\n";
        start(options);
    }

    /// Without pauses between the words: a pause is an end of speech.
    Sound fluent(const std::string& words) {
        const std::string said = (folder_ / "said.wav").string();
        const std::string wav = (folder_ / "said-8k.wav").string();
        run({"espeak-ng", "-v", "en-us", "-s", "165", "-w", said, words});
        run({"sox", "-D", said, "-r", "8000", "-c", "1", "-b", "16", wav});
        return read_wav(wav);
    }
    std::string raw(const char* name, const Sound& sound) {
        const std::string path = (folder_ / name).string();
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(sound.samples.data()),
                   static_cast<std::streamsize>(sound.samples.size() * sizeof(std::int16_t)));
        return path;
    }

    /// A call from `name` that lasts kCallS, and is recorded under its name.
    std::unique_ptr<OffhookCall> call(const std::string& name, bool speaks, bool is_srtp) {
        std::vector<std::string> arguments{"--from",
                                           name,
                                           "--seconds",
                                           std::to_string(kCallS),
                                           "--handset",
                                           "200:20",
                                           "--wav",
                                           speaks ? (folder_ / "words.wav").string() : "none",
                                           "--record",
                                           (folder_ / (name + ".wav")).string(),
                                           "--expect",
                                           "answered>=100,hung_up=0,ssrc=1,lost=0,ts_breaks=0"};
        if (is_srtp) arguments.push_back("--srtp=AES_CM_128_HMAC_SHA1_80");
        return std::make_unique<OffhookCall>(daemon_->uri(), arguments);
    }

    std::vector<Event> events(const std::string& name, const std::string& type = {}) {
        std::vector<Event> found;
        std::istringstream lines(bot_->output());
        for (std::string line; std::getline(lines, line);) {
            if (line.rfind(name + " ", 0) != 0) continue;
            const Json json(line.substr(name.size() + 1));
            Event event{.type = json.text("type"),
                        .state = json.text("state"),
                        .heard_ms = json.number("heard_ms"),
                        .at_ms = json.number("at_ms"),
                        .played_ms = json.number("played_ms"),
                        .from_ms = json.number("from_ms"),
                        .to_ms = json.number("to_ms")};
            if (type.empty() || event.type == type) found.push_back(std::move(event));
        }
        return found;
    }

    double metric(const std::string& name) {
        const std::string page = daemon_->get("/metrics").body;
        const auto at = page.find("\n" + name + " ");
        return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
    }

    double talk_s_ = 0, answer_s_ = 0, said_s_ = 0;
    std::unique_ptr<Process> bot_;
};

TEST_F(BargeInTest, TheCallersWordsDoAndOurEchoDoesNot) {
    ASSERT_GT(talk_s_, kSpeaksAtS + 4);
    ASSERT_LT(talk_s_, kCallS - 5);
    std::vector<std::unique_ptr<OffhookCall>> calls;
    for (const bool is_srtp : {false, true}) {
        const std::string how = is_srtp ? "srtp" : "plain";
        calls.push_back(call("quiet-" + how, false, is_srtp));
        calls.push_back(call("accept-" + how, true, is_srtp));
        calls.push_back(call("deny-" + how, true, is_srtp));
        calls.push_back(call("mute-" + how, true, is_srtp));
    }
    for (auto& one : calls) EXPECT_EQ(one->finish(seconds(90)), 0) << one->text();
    EXPECT_TRUE(daemon_->wait_live_calls(0));
    const std::string story = bot_->output();

    for (const std::string how : {"plain", "srtp"}) {
        SCOPED_TRACE(how);
        // Its own echo, for all of what it says: nobody spoke.
        const std::string quiet = "quiet-" + how;
        EXPECT_TRUE(events(quiet, "speech").empty()) << story;
        EXPECT_TRUE(events(quiet, "barge-in").empty()) << story;
        EXPECT_TRUE(events(quiet, "dropped").empty()) << story;
        ASSERT_EQ(events(quiet, "drained").size(), 1U) << story;
        EXPECT_NEAR(events(quiet, "drained")[0].played_ms, talk_s_ * 1e3, 1);

        for (const std::string what : {"accept-", "deny-", "mute-"}) {
            SCOPED_TRACE(what);
            const std::string name = what + how;
            const auto spoke = events(name, "speech");
            ASSERT_GE(spoke.size(), 2U) << story;
            EXPECT_EQ(spoke[0].state, "started");
            // Found where it is, and told in time: 120 ms of debounce at most, and the frames' own.
            EXPECT_NEAR(spoke[0].at_ms, kSpeaksAtS * 1e3 + 100, 250) << story;
            EXPECT_LE(spoke[0].heard_ms - spoke[0].at_ms, 250) << story;
            EXPECT_NEAR(spoke.back().at_ms, (kSpeaksAtS + said_s_) * 1e3 - 200, 500) << story;
            const auto barged = events(name, "barge-in");
            // Who talks on into a bot that goes on may be heard in pieces.
            ASSERT_GE(barged.size(), 1U) << story;
            if (what != "deny-") {
                EXPECT_EQ(barged.size(), 1U) << story;
            }
            EXPECT_LE(barged[0].heard_ms - spoke[0].at_ms, 250) << story;

            const auto dropped = events(name, "dropped");
            double lost_ms = 0;
            for (const Event& one : dropped) lost_ms += one.to_ms - one.from_ms;
            if (what == "deny-") {
                EXPECT_TRUE(dropped.empty()) << story;
                continue;
            }
            // It stopped at what was played then, and that is what the bot was told.
            ASSERT_FALSE(dropped.empty()) << story;
            EXPECT_NEAR(dropped[0].from_ms, barged[0].played_ms, 45) << story;
            EXPECT_NEAR(lost_ms, talk_s_ * 1e3 - barged[0].played_ms, 45) << story;
            const Sound heard = read_wav(folder_ / (name + ".wav"));
            const double stopped_s = spoke[0].at_ms / 1e3 + 0.5;
            EXPECT_LT(level_dbov(heard.part(stopped_s, stopped_s + 0.5).samples), -50) << story;
        }
        // Taken back, it went on where it stopped: the whole of it, and the answers, were heard.
        const std::string denied = "deny-" + how;
        const auto drained = events(denied, "drained");
        ASSERT_FALSE(drained.empty()) << story;
        EXPECT_GE(drained.back().played_ms, (talk_s_ + answer_s_) * 1e3 - 1) << story;
    }
    // Who was answered after the words: those for whom the bot was silent by then. It answered at
    // once, when it was told, 300 ms after the last of them.
    EXPECT_EQ(metric("offhook_ai_turn_seconds_count"), 4);
    const double turn_s = metric("offhook_ai_turn_seconds_sum") / 4;
    EXPECT_GE(turn_s, 0.3);
    EXPECT_LE(turn_s, 0.7);
}

}  // namespace
}  // namespace offhook::harness
