// A strict stand-in of OpenAI Realtime on a call of the real program.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "harness/call_test.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

class OpenAi : public CallTest {
protected:
    std::unique_ptr<Process> service_;
    std::string port_;

    void SetUp() override {
        const char* folder = std::getenv("OFFHOOK_OPENAI_PEERS");
        if (folder == nullptr) throw std::runtime_error("OFFHOOK_OPENAI_PEERS is not set");
        service_ = std::make_unique<Process>(
            std::vector<std::string>{"/usr/bin/python3",
                                     std::string(folder) + "/service.py",
                                     (folder_ / "events.jsonl").string()},
            Process::Options{.folder = {}, .env = {}, .input = {}, .has_ready_fd = true});
        port_ = service_->ready_line(seconds(30));
        ASSERT_FALSE(port_.empty()) << service_->output();
    }
    void start_with(const std::string& path, const std::string& more) {
        std::ofstream(folder_ / "instructions.txt") << "Be brief.\n";
        Daemon::Options options;
        options.env["KEY_OF_THE_TEST"] = "sk-of-the-test";
        options.more =
            "[[ai]]\nname = \"service\"\nprotocol = \"openai\"\nurl = \"ws://127.0.0.1:" + port_ +
            path + "/v1/realtime?model=m\"\nbearer_env = \"KEY_OF_THE_TEST\"\n" +
            "instructions_file = \"" + (folder_ / "instructions.txt").string() + "\"\n" + more +
            "\n[[route]]\nname = \"all\"\nai = \"service\"\nfill = \"silence\"\n" +
            "verbs = [\"hang-up\"]\n";
        start(options);
    }
    /// What we sent is what the service's own package for its users calls a client event.
    /// @param module  of that package
    void expect_types(const std::string& module) {
        const char* modules = std::getenv("OFFHOOK_BOT_MODULES");
        if (modules == nullptr || !std::filesystem::exists(std::string(modules) + "/installed"))
            GTEST_SKIP() << "no npm packages; scripts/bots fetches them";
        std::filesystem::create_directory_symlink(std::string(modules) + "/node_modules",
                                                  folder_ / "node_modules");
        std::ifstream events(folder_ / "events.jsonl");
        std::ofstream script(folder_ / "events.ts");
        script << "import type { RealtimeClientEvent } from 'openai/resources/" << module << "';\n";
        int count = 0;
        for (std::string event; std::getline(events, event);) {
            script << "export const event" << ++count << ": RealtimeClientEvent = " << event
                   << ";\n";
        }
        EXPECT_GE(count, 12);
        script.close();
        Process check({"node",
                       (folder_ / "node_modules/typescript/bin/tsc").string(),
                       "--noEmit",
                       "--strict",
                       "--skipLibCheck",
                       "--module",
                       "esnext",
                       "--moduleResolution",
                       "bundler",
                       "--target",
                       "es2022",
                       (folder_ / "events.ts").string()});
        EXPECT_EQ(check.wait(seconds(120)).value_or(-1), 0) << check.output();
    }
    std::string verdict(milliseconds limit = seconds(60)) {
        const auto at = service_->wait_output("verdict ", limit);
        if (!at) return "none:\n" + service_->output();
        service_->wait_output("\n", seconds(5), *at);
        const std::string text = service_->output();
        return text.substr(*at, text.find('\n', *at) - *at);
    }
    void expect_story() {
        OffhookCall caller(
            daemon_->uri(),
            {"--seconds", "20", "--dtmf", "5", "--record", (folder_ / "heard.wav").string()});
        EXPECT_EQ(verdict(), "ok");
        caller.finish(seconds(40));
        const Json report = caller.report();
        EXPECT_EQ(report.number("calls.hung_up_by_peer"), 1) << caller.text();
        EXPECT_EQ(report.number("continuity.lost"), 0) << caller.text();
        EXPECT_EQ(report.number("continuity.timestamp_breaks"), 0) << caller.text();
        // 1.5 s until the interruption, 0.5 s about the key, 1 s of goodbye; nothing of what came
        // too late.
        double heard_s = 0, late_s = 0;
        for (const HeardTone& each : heard_tones(read_wav(folder_ / "heard.wav"), {1000, 2000}))
            (each.frequency_hz == 2000 ? late_s : heard_s) += each.length_s;
        EXPECT_GT(heard_s, 2.7);
        EXPECT_LT(heard_s, 3.3);
        EXPECT_EQ(late_s, 0);
    }
};

TEST_F(OpenAi, AStoryInTheNamesOfToday) {
    start_with("/ga", "");
    expect_story();
    expect_types("realtime/realtime");
}

TEST_F(OpenAi, AStoryInTheNamesOfBefore) {
    start_with("/beta", "beta = true\n");
    expect_story();
    expect_types("beta/realtime/realtime");
}

TEST_F(OpenAi, ASessionIsReplacedBeforeItsLimit) {
    start_with("/limit", "session_limit_min = 1\n");
    OffhookCall caller(daemon_->uri(), {"--seconds", "66"});
    EXPECT_EQ(verdict(seconds(80)), "ok");
    EXPECT_EQ(caller.finish(seconds(80)), 0) << caller.text();
}

TEST_F(OpenAi, AKeyThatIsRefusedIsNotTriedAgain) {
    start_with("/closed", "");
    OffhookCall caller(daemon_->uri(), {"--seconds", "20"});
    caller.finish(seconds(30));
    const Json report = caller.report();
    // The route has no fallback: the call ends, and long before reconnect_s is over.
    EXPECT_EQ(report.number("calls.hung_up_by_peer"), 1) << caller.text();
    EXPECT_LT(report.number("wall_s"), 10) << caller.text();
}

}  // namespace
}  // namespace offhook::harness
