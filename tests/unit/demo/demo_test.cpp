#include "demo/demo.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "base/monotonic.h"

namespace offhook {
namespace {

using demo::Demo;
using demo::Transcript;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

class DemoTest : public testing::Test {
protected:
    DemoTest() {
        std::string name = (fs::temp_directory_path() / "offhook-demo-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~DemoTest() override {
        demo_.reset();
        fs::remove_all(folder_);
    }

    std::string script(const std::string& name, const std::string& text) const {
        const fs::path path = folder_ / name;
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        chmod(path.c_str(), S_IRWXU);
        return path.string();
    }
    /// One that gives its address, says one line and waits.
    std::string bot() const {
        return script("bot",
                      "echo \"$*\" >> " + (folder_ / "started").string() +
                          "\n[ -e /proc/self/fd/3 ] && echo ready 127.0.0.1:4711 >&3\n"
                          "echo "
                          "'{\"time\":\"12:00:00\",\"call\":\"c-1\",\"event\":\"says\",\"words\":"
                          "\"Hello.\"}'\n"
                          "exec sleep 60");
    }
    std::string caller() const {
        return script("caller",
                      "echo \"$*\" >> " + (folder_ / "called").string() + "\nexec sleep 60");
    }
    Demo& make(config::Demo settings) {
        demo_ = std::make_unique<Demo>(
            Demo::Parts{.settings = std::move(settings),
                        .context = g_main_context_default(),
                        .program = caller(),
                        .set_loss = [this](double share) { losses_.push_back(share); },
                        .pause = 30ms});
        return *demo_;
    }
    std::vector<std::string> lines_of(const std::string& name) const {
        std::ifstream file(folder_ / name);
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line);
        return lines;
    }
    static bool run_until(const std::function<bool()>& done) {
        const std::int64_t until_ns = base::monotonic_ns() + 10 * base::kNsPerS;
        const guint tick = g_timeout_add(
            10, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
        while (!done() && base::monotonic_ns() < until_ns) g_main_context_iteration(nullptr, TRUE);
        g_source_remove(tick);
        return done();
    }

    fs::path folder_;
    std::vector<double> losses_;
    std::unique_ptr<Demo> demo_;
};

TEST_F(DemoTest, TheBotComesBackOnItsPort) {
    Demo& demo = make({.bot = bot(), .caller_calls = false});
    const auto address = demo.start_bot();
    ASSERT_TRUE(address) << address.error().text();
    EXPECT_EQ(*address, "127.0.0.1:4711");
    const int first = demo.status().bot.pid;
    EXPECT_GT(first, 0);
    ASSERT_TRUE(demo.kill_bot());
    ASSERT_TRUE(run_until([&] { return !demo.status().bot.is_running; }));
    EXPECT_GT(demo.status().bot.next_start_ms + 1, 0);
    EXPECT_FALSE(demo.kill_bot());
    ASSERT_TRUE(run_until([&] { return demo.status().bot.is_running; }));
    EXPECT_NE(demo.status().bot.pid, first);
    EXPECT_EQ(demo.status().bot.restarts, 1U);
    ASSERT_TRUE(run_until([&] { return lines_of("started").size() == 2; }));
    EXPECT_EQ(lines_of("started")[1], "--listen 127.0.0.1:4711 --json");
}

TEST_F(DemoTest, WhatTheBotSaysIsKept) {
    Demo& demo =
        make({.bot = bot(), .caller_calls = false, .transcript = (folder_ / "said").string()});
    ASSERT_TRUE(demo.start_bot());
    ASSERT_TRUE(run_until([&] { return demo.transcript().last() == 1; }));
    const auto lines = demo.transcript().after(0, {});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.front().words, "Hello.");
    EXPECT_EQ(lines_of("said"), (std::vector<std::string>{"12:00:00  c-1  bot:    Hello."}));
}

TEST_F(DemoTest, ABotThatCannotStartSaysWhy) {
    Demo& demo = make({.bot = script("bad", "echo no ears >&2; exit 1"), .caller_calls = false});
    const auto address = demo.start_bot();
    ASSERT_FALSE(address);
    EXPECT_NE(address.error().text().find("did not start"), std::string::npos);
}

TEST_F(DemoTest, WithoutABotThereIsNoAddress) {
    Demo& demo = make({.caller_calls = false});
    EXPECT_EQ(demo.start_bot().value(), "");
    EXPECT_FALSE(demo.kill_bot());
    EXPECT_FALSE(demo.status().bot.is_configured);
}

TEST_F(DemoTest, TheCallerCallsAgainUntilItIsToldNotTo) {
    Demo& demo = make({.caller_sound = "/tmp/spoken.wav", .caller_calls = true});
    demo.start_caller("sip:demo@127.0.0.1:5060");
    ASSERT_TRUE(run_until([&] { return lines_of("called").size() == 1; }));
    EXPECT_EQ(lines_of("called")[0],
              "call sip:demo@127.0.0.1:5060 --from caller --seconds 86400 --quiet --wav "
              "/tmp/spoken.wav");
    EXPECT_FALSE(demo.call(true)) << "one at a time";
    demo.end_calls();
    ASSERT_TRUE(run_until([&] { return !demo.status().caller.is_calling; }));
    EXPECT_EQ(demo.status().caller.next_call_ms, 0);
    ASSERT_TRUE(demo.call(false));
    EXPECT_TRUE(demo.status().caller.is_calling);
    EXPECT_EQ(demo.status().caller.calls, 2U);
}

TEST_F(DemoTest, ACallThatEndsIsFollowedByTheNext) {
    demo_ = std::make_unique<Demo>(Demo::Parts{.settings = {.caller_calls = true},
                                               .context = g_main_context_default(),
                                               .program = script("short", "exit 0"),
                                               .set_loss = [](double) {},
                                               .pause = 10ms});
    demo_->start_caller("sip:demo@127.0.0.1:5060");
    EXPECT_TRUE(run_until([&] { return demo_->status().caller.calls >= 3; }));
    demo_->stop();
    ASSERT_TRUE(run_until([&] { return !demo_->status().caller.is_calling; }));
    EXPECT_EQ(demo_->status().caller.next_call_ms, 0);
}

TEST_F(DemoTest, WithNobodyToCallThereIsNoCall) {
    EXPECT_EQ(make({.caller_calls = false}).call(false).error().code, base::ErrorCode::Conflict);
}

TEST_F(DemoTest, LossEndsByItself) {
    Demo& demo = make({.caller_calls = false});
    demo.drop(0.1, 1s);
    EXPECT_DOUBLE_EQ(demo.status().loss_share, 0.1);
    EXPECT_GT(demo.status().loss_left_ms, 0);
    ASSERT_TRUE(run_until([&] { return losses_.back() == 0; }));
    EXPECT_EQ(losses_, (std::vector<double>{0.1, 0}));
    EXPECT_EQ(demo.status().loss_left_ms, 0);
    demo.drop(7, 5s);
    EXPECT_DOUBLE_EQ(losses_.back(), 1);
    demo.drop(0, 5s);
    EXPECT_DOUBLE_EQ(losses_.back(), 0);
    demo.drop(0.5, 0s);
    EXPECT_DOUBLE_EQ(losses_.back(), 0);
}

TEST(DemoTranscript, TakesLinesOfABotAndNoOthers) {
    Transcript transcript;
    EXPECT_FALSE(transcript.take("The kitchen listens"));
    EXPECT_FALSE(transcript.take(R"({"event":"says"})"));
    EXPECT_FALSE(transcript.take(std::string(5000, '[')));
    EXPECT_TRUE(transcript.take(R"({"time":"1","call":"c-1","event":"says","words":"one"})"));
    EXPECT_TRUE(transcript.take(
        "{\"time\":\"2\",\"call\":\"c-2\",\"event\":\"heard\",\"words\":\"tw\\u001bo\"}"));
    ASSERT_EQ(transcript.after(0, {}).size(), 2U);
    EXPECT_EQ(transcript.after(0, {})[1].words, "tw\\x1Bo");
    EXPECT_EQ(transcript.after(1, {}).front().number, 2U);
    EXPECT_EQ(transcript.after(0, "c-1").size(), 1U);
    EXPECT_TRUE(transcript.after(2, {}).empty());
}

TEST(DemoTranscript, KeepsTheLastOnes) {
    Transcript transcript;
    for (std::size_t i = 0; i < Transcript::kMaxLines + 10; ++i)
        ASSERT_TRUE(transcript.take(R"({"time":"1","call":"c-1","event":"says","words":"x"})"));
    const auto lines = transcript.after(0, {});
    EXPECT_EQ(lines.size(), Transcript::kMaxLines);
    EXPECT_EQ(lines.front().number, 11U);
}

}  // namespace
}  // namespace offhook
