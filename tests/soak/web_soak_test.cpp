// Five hundred web legs made and torn down, many of them in the middle of ICE or of DTLS, leave
// nothing behind: no thread, no descriptor, no growth.

#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "harness/call_test.h"
#include "harness/offhook_call.h"
#include "harness/web_peer.h"
#include "harness/web_peer_whip.h"

namespace offhook::harness {
namespace {

constexpr int kAtATime = 5;

class WebSoakTest : public CallTest {
protected:
    void SetUp() override {
        WebPeer::warm_up();
        Daemon::Options options;
        options.more = "[web]\naddresses = [\"127.0.0.1\"]\n";
        start(options);
    }

    /// One leg from POST to DELETE. Of five, one takes no answer at all, so that ICE never ends; two
    /// are cut up to 100 ms after it, which is when ICE and then DTLS are at work; two talk.
    void one_leg(int index) {
        WebPeer::Options options;
        options.pacer = pacer_;
        options.keeps_sound = false;
        WebPeer peer(options);
        WhipSession session(daemon_->http_address(), "echo");
        const std::string answer = session.post(peer.offer());
        ASSERT_EQ(session.status(), 201) << session.last().body;
        const int kind = index % kAtATime;
        if (kind > 0) {
            peer.take_answer(answer);
        }
        if (kind == 1 || kind == 2) {
            connected_ += peer.wait_connected(milliseconds(index / kAtATime % 100)) ? 1 : 0;
            ++cut_;
        } else if (kind > 2) {
            EXPECT_TRUE(peer.wait_packets(10, seconds(15)));
        }
        EXPECT_EQ(session.end(), 200) << session.last().body;
    }

    void legs(int count) {
        for (int begin = 0; begin < count; begin += kAtATime) {
            std::vector<std::thread> threads;
            for (int index = begin; index < begin + kAtATime; ++index) {
                threads.emplace_back([this, index] { one_leg(index); });
            }
            for (std::thread& thread : threads) {
                thread.join();
            }
        }
        EXPECT_TRUE(daemon_->wait_live_calls(0, seconds(60)));
    }

    /// Once what ends by itself has ended.
    Daemon::Footprint settled() {
        Daemon::Footprint least = daemon_->footprint();
        const auto deadline = Clock::now() + seconds(20);
        while (Clock::now() < deadline && stays_alive(daemon_->process(), seconds(1))) {
            const Daemon::Footprint now = daemon_->footprint();
            least.rss_kib = std::min(least.rss_kib, now.rss_kib);
            least.threads = std::min(least.threads, now.threads);
            least.descriptors = std::min(least.descriptors, now.descriptors);
        }
        return least;
    }

    std::shared_ptr<WebPacer> pacer_ = std::make_shared<WebPacer>();
    std::atomic<int> cut_{0}, connected_{0};
};

TEST_F(WebSoakTest, FiveHundredLegsLeaveNothing) {
    // What stays for the life of the process: the list of ended calls, and what GStreamer and the
    // allocator keep of the first hundred legs.
    OffhookCall calls(daemon_->uri(),
                      {"--calls", "1000", "--rate", "100", "--seconds", "1", "--expect", "ssrc=1"});
    EXPECT_EQ(calls.finish(seconds(60)), 0) << calls.text();
    legs(100);
    const Daemon::Footprint before = settled();
    cut_ = connected_ = 0;
    legs(500);
    const Daemon::Footprint after = settled();
    std::cout << "RSS " << before.rss_kib << " -> " << after.rss_kib << " KiB, threads "
              << before.threads << " -> " << after.threads << ", descriptors " << before.descriptors
              << " -> " << after.descriptors << "; of " << cut_ << " cut early " << connected_
              << " were connected\n";
    // Both sorts were among those that were cut.
    EXPECT_GT(connected_, 0);
    EXPECT_LT(connected_, cut_);
    EXPECT_LE(after.threads, before.threads);
    EXPECT_LE(after.descriptors, before.descriptors);
    // GStreamer 1.22 keeps some 3 KiB of each webrtcbin.
    EXPECT_LE(after.rss_kib, before.rss_kib + 4096);
}

}  // namespace
}  // namespace offhook::harness
