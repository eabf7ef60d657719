// Thousands of calls leave nothing behind: no thread, no descriptor, no growth, no GStreamer
// object.

#include <gtest/gtest.h>

#include <signal.h>
#include <sstream>

#include <iostream>

#include "harness/call_test.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

class SoakTest : public CallTest {
protected:
    void run_calls(int count, int rate_per_s, int length_s) {
        OffhookCall calls(daemon_->uri(),
                          {"--calls",
                           std::to_string(count),
                           "--rate",
                           std::to_string(rate_per_s),
                           "--seconds",
                           std::to_string(length_s),
                           "--expect",
                           "ssrc=1"});
        EXPECT_EQ(calls.finish(seconds(count / rate_per_s + length_s + 120)), 0) << calls.text();
        EXPECT_EQ(calls.report().number("calls.answered"), count) << calls.text();
        EXPECT_TRUE(daemon_->wait_live_calls(0, seconds(60)));
    }

    /// After the finished transactions (32 s on UDP, RFC 3261 timer J) are gone too.
    Daemon::Footprint settled() {
        Daemon::Footprint least = daemon_->footprint();
        const auto deadline = Clock::now() + seconds(45);
        while (Clock::now() < deadline && stays_alive(daemon_->process(), seconds(1))) {
            const Daemon::Footprint now = daemon_->footprint();
            least.rss_kib = std::min(least.rss_kib, now.rss_kib);
            least.threads = now.threads;
            least.descriptors = now.descriptors;
        }
        return least;
    }

    static void expect_same(const Daemon::Footprint& before,
                            const Daemon::Footprint& after,
                            long more_kib) {
        std::cout << "RSS " << before.rss_kib << " -> " << after.rss_kib << " KiB, threads "
                  << before.threads << " -> " << after.threads << ", descriptors "
                  << before.descriptors << " -> " << after.descriptors << '\n';
        EXPECT_EQ(after.threads, before.threads);
        EXPECT_EQ(after.descriptors, before.descriptors);
        EXPECT_LE(after.rss_kib, before.rss_kib + more_kib);
    }
};

// The first thousand fill what stays for the life of the process (the list of ended calls,
// allocator arenas); the second and third must add nothing but noise: 1 MiB, half a KiB a call.
TEST_F(SoakTest, TwoThousandCallsOneAfterAnother) {
    start();
    run_calls(1000, 50, 1);
    const Daemon::Footprint before = settled();
    run_calls(2000, 50, 1);
    expect_same(before, settled(), 1024);
}

TEST_F(SoakTest, FiveHundredAtOnce) {
    Daemon::Options options;
    RtpPorts one;
    RtpPorts two;
    // 500 calls are 1,000 ports; a pair may be taken by somebody else.
    options.ports = std::pair(one.first, two.last);
    ASSERT_EQ(two.first, one.last + 1);
    start(options);
    run_calls(500, 250, 6);
    const Daemon::Footprint before = settled();
    run_calls(500, 250, 6);
    expect_same(before, settled(), 2048);
}

TEST_F(SoakTest, LeaksTracerFindsNothing) {
    Daemon::Options options;
    options.env = {
        {"GST_TRACERS", "leaks"}, {"GST_DEBUG", "GST_TRACER:7"}, {"GST_DEBUG_NO_COLOR", "1"}};
    start(options);
    run_calls(200, 50, 1);
    daemon_->process().signal(SIGTERM);
    EXPECT_EQ(daemon_->process().wait(seconds(30)), 0);
    const std::string log = daemon_->process().output();
    // The tracer describes its own record formats as well; only a record has an address.
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        const bool is_alive = line.find("object-alive, ") != std::string::npos &&
                              line.find("(gpointer)0x") != std::string::npos;
        EXPECT_FALSE(is_alive) << line;
    }
}

}  // namespace
}  // namespace offhook::harness
