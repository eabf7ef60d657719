// What a bot does to twenty calls: nothing. It is killed, stopped, reset, it floods, babbles, or
// reads a byte a second; each call goes on with a packet every 20 ms, and of all it was given to say
// each millisecond is accounted for.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/call_test.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

constexpr int kCalls = 20;

std::string bot_file() {
    return std::string(std::getenv("OFFHOOK_FAULT_BOT"));
}

class AiFaultTest : public CallTest {
protected:
    void start_bot(const std::string& fault, const std::vector<std::string>& more = {}) {
        std::vector<std::string> argv{
            "/usr/bin/python3", bot_file(), "--fault", fault, "--port", std::to_string(bot_port_)};
        argv.insert(argv.end(), more.begin(), more.end());
        bot_ = std::make_unique<Process>(argv);
        ASSERT_TRUE(bot_->wait_output("\"ready\"", seconds(10))) << bot_->output();
        const std::string text = bot_->output();
        bot_port_ = std::stoi(text.substr(text.find("\"port\": ") + 8));
    }
    void start_daemon(const std::string& more_ai = {},
                      const std::string& scheme = "ws",
                      const std::string& more_route = {}) {
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\nsample_rate_hz = 8000\nurl = \"" +
            scheme + "://127.0.0.1:" + std::to_string(bot_port_) + "/\"\n" + more_ai +
            "[[route]]\nname = \"default\"\nai = \"bot\"\nfill = \"silence\"\n" + more_route;
        start(options);
    }
    void call(double length_s) {
        start_capture();
        calls_ = std::make_unique<OffhookCall>(daemon_->uri(),
                                               std::vector<std::string>{"--calls",
                                                                        std::to_string(kCalls),
                                                                        "--rate",
                                                                        "40",
                                                                        "--seconds",
                                                                        std::to_string(length_s)});
        ASSERT_TRUE(daemon_->wait_live_calls(kCalls)) << calls_->text();
    }
    /// What the API says of the calls' bots.
    std::vector<Json> bots() {
        std::vector<Json> found;
        const Json list = daemon_->json("/api/v1/calls");
        for (std::size_t i = 0; i < list.size("items"); ++i) {
            found.push_back(
                daemon_->json("/api/v1/calls/" + list.text("items." + std::to_string(i) + ".id")));
        }
        return found;
    }
    bool all(milliseconds limit, const std::function<bool(const Json&)>& predicate) {
        return eventually(limit, &daemon_->process(), [&] {
            const auto found = bots();
            return found.size() == kCalls && std::all_of(found.begin(), found.end(), predicate);
        });
    }
    bool all_live(std::uint64_t connections, milliseconds limit = seconds(10)) {
        return all(limit, [connections](const Json& call) {
            return call.text("ai.state") == "live" &&
                   call.number("ai.connections") >= static_cast<double>(connections);
        });
    }

    /// How long the bots were away, as the daemon measured it.
    void print_gaps(const char* fault) {
        std::vector<double> gaps;
        for (const Json& call : bots()) gaps.push_back(call.number("ai.last_gap_ms"));
        std::sort(gaps.begin(), gaps.end());
        ASSERT_FALSE(gaps.empty());
        std::printf("%s: back after p50 %.0f, longest %.0f ms\n",
                    fault,
                    gaps[gaps.size() / 2],
                    gaps.back());
    }

    /// Of all that the bots gave, each millisecond was played, cleared, dropped, or still waits.
    void expect_accounted() {
        for (const Json& call : bots()) {
            const double given = call.number("ai.sound.given_ms");
            const double found =
                call.number("ai.sound.played_ms") + call.number("ai.sound.cleared_ms") +
                call.number("ai.sound.overflowed_ms") + call.number("ai.sound.queued_ms");
            EXPECT_GT(given, 0);
            EXPECT_NEAR(found, given, 0.01);
        }
    }

    /// Ends the calls; every stream of the capture kept the promise.
    void expect_promise(const char* fault) {
        calls_->process().signal(SIGINT);
        calls_->finish(seconds(20));
        capture_->stop();
        const auto sent =
            streams(capture_->rtp(daemon_->first_rtp_port(), daemon_->last_rtp_port()),
                    daemon_->first_rtp_port(),
                    daemon_->last_rtp_port(),
                    true);
        ASSERT_EQ(sent.size(), static_cast<std::size_t>(kCalls));
        double longest_ms = 0;
        for (const RtpStream& stream : sent) {
            const RtpVerdict verdict = stream.judge();
            EXPECT_EQ(verdict.ssrcs, 1U);
            EXPECT_EQ(verdict.sequence_breaks, 0U);
            EXPECT_EQ(verdict.timestamp_breaks, 0U);
            EXPECT_NEAR(verdict.rate_hz, 50, 0.5);
            longest_ms = std::max(longest_ms, verdict.longest_gap_ms);
        }
        std::printf("%s: longest gap of %d calls %.1f ms\n", fault, kCalls, longest_ms);
        if (!is_sanitized()) {
            EXPECT_LE(longest_ms, 40);
        }
        EXPECT_EQ(daemon_->process().stop(), 0);
    }

    int bot_port_ = 0;
    std::unique_ptr<Process> bot_;
    std::unique_ptr<OffhookCall> calls_;
};

TEST_F(AiFaultTest, KilledAndStartedAgain) {
    start_bot("none");
    start_daemon();
    call(60);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGKILL);
    ASSERT_TRUE(all(seconds(5), [](const Json& call) { return call.text("ai.state") == "lost"; }));
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(1)));
    start_bot("none");
    EXPECT_TRUE(all_live(2, seconds(15)));
    print_gaps("killed");
    expect_accounted();
    expect_promise("killed");
}

TEST_F(AiFaultTest, StoppedForTenSeconds) {
    start_bot("none");
    start_daemon();
    call(60);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGSTOP);
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(10)));
    bot_->signal(SIGCONT);
    EXPECT_TRUE(all_live(1, seconds(15)));
    expect_accounted();
    expect_promise("stopped");
}

TEST_F(AiFaultTest, Reset) {
    start_bot("reset");
    start_daemon();
    call(60);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGUSR1);
    EXPECT_TRUE(all_live(2));
    print_gaps("reset");
    expect_accounted();
    expect_promise("reset");
}

TEST_F(AiFaultTest, Garbage) {
    start_bot("garbage");
    start_daemon();
    call(60);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGUSR1);
    EXPECT_TRUE(all_live(2));
    print_gaps("garbage");
    expect_accounted();
    expect_promise("garbage");
}

TEST_F(AiFaultTest, AHundredTimesRealTime) {
    start_bot("flood");
    start_daemon("queue_s = 5\n");
    call(60);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGUSR1);
    EXPECT_TRUE(all(seconds(20), [](const Json& call) {
        return call.number("ai.sound.overflowed_ms") > 10'000;
    }));
    const auto footprint = daemon_->footprint();
    bot_->signal(SIGUSR2);
    EXPECT_LT(footprint.rss_kib, 200 * 1024);
    EXPECT_TRUE(all(seconds(20), [](const Json& call) {
        return call.text("ai.state") == "live" && call.number("ai.sound.queued_ms") <= 5'000;
    }));
    expect_accounted();
    expect_promise("flood");
}

TEST_F(AiFaultTest, ReadsAByteASecond) {
    start_bot("slow");
    start_daemon();
    call(90);
    ASSERT_TRUE(all_live(1));
    bot_->signal(SIGUSR1);
    ASSERT_TRUE(all(seconds(40), [](const Json& call) { return call.number("ai.losses") > 0; }));
    bot_->signal(SIGUSR2);
    EXPECT_TRUE(all_live(2, seconds(20)));
    print_gaps("slow");
    expect_accounted();
    expect_promise("slow");
}

// No connection, ever: the certificate is of another name. Asked once, then the spare.
TEST_F(AiFaultTest, ACertificateOfAnotherName) {
    const std::string pem = (folder_ / "bot.pem").string();
    run({"openssl",
         "req",
         "-x509",
         "-newkey",
         "ec",
         "-pkeyopt",
         "ec_paramgen_curve:P-256",
         "-nodes",
         "-subj",
         "/CN=elsewhere.example",
         "-addext",
         "subjectAltName=DNS:elsewhere.example",
         "-days",
         "2",
         "-keyout",
         (folder_ / "key.pem").string(),
         "-out",
         (folder_ / "cert.pem").string()});
    run({"sh",
         "-c",
         "cat '" + (folder_ / "key.pem").string() + "' '" + (folder_ / "cert.pem").string() +
             "' > '" + pem + "'"});
    start_bot("none", {"--certificate", pem});
    start_daemon("ca_file = \"" + (folder_ / "cert.pem").string() +
                     "\"\n[[ai]]\nname = \"spare\"\nprotocol = \"tone\"\n",
                 "wss",
                 "fallback = [\"ai:spare\"]\n");
    call(60);
    EXPECT_TRUE(all(seconds(10), [](const Json& call) { return call.text("ai.name") == "spare"; }));
    EXPECT_EQ(daemon_->count_events("ai.connected"), 0U);
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(3)));
    expect_promise("certificate");
}

}  // namespace
}  // namespace offhook::harness
