// Our address outside, told by a real STUN server (coturn, unpacked by scripts/peers), in the SDP.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/call_test.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

std::filesystem::path peers() {
    const char* folder = std::getenv("OFFHOOK_PEERS");
    return std::filesystem::absolute(folder != nullptr ? folder : "build/peers");
}

/// Nobody's, a moment ago.
std::uint16_t unused_port() {
    return RtpEnd("127.0.0.1").port();
}

/// coturn as a mere STUN server on loopback.
class StunServer {
public:
    StunServer(const TempDir& folder, std::uint16_t port) {
        Process::Options options;
        std::filesystem::path libraries;
        for (const auto& entry : std::filesystem::directory_iterator(peers() / "usr/lib")) {
            if (entry.path().filename().string().ends_with("-linux-gnu")) libraries = entry.path();
        }
        options.env = {{"LD_LIBRARY_PATH", libraries.string()}};
        process_ = std::make_unique<Process>(
            std::vector<std::string>{(peers() / "usr/bin/turnserver").string(),
                                     "-n",
                                     "--stun-only",
                                     "--listening-ip=127.0.0.1",
                                     "--listening-port=" + std::to_string(port),
                                     "--no-tls",
                                     "--no-dtls",
                                     "--no-cli",
                                     "--log-file=stdout",
                                     "--pidfile=" + (folder / "turnserver.pid").string(),
                                     "--userdb=" + (folder / "turnserver.db").string()},
            options);
        if (!process_->wait_output("Total General servers", seconds(20)))
            throw std::runtime_error("turnserver does not start:\n" + process_->output());
    }
    void stop() { process_->stop(); }

private:
    std::unique_ptr<Process> process_;
};

/// The daemon is reached at 127.0.0.3 and its sockets are everywhere, as behind a router: the server
/// sees it as 127.0.0.1, which only the server can tell.
class StunTest : public CallTest {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(peers() / "usr/bin/turnserver"))
            GTEST_SKIP() << "no turnserver in " << peers().string() << "; scripts/peers unpacks it";
    }
    void start_asking(std::uint16_t port) {
        Daemon::Options options;
        options.rtp = "address = \"0.0.0.0\"\nstun = \"127.0.0.1:" + std::to_string(port) + "\"\n";
        options.arguments = {"--set", "sip.listen=[\"udp:127.0.0.3:0\"]"};
        start(options);
    }
    [[nodiscard]] std::unique_ptr<OwnCaller> call() {
        auto caller =
            std::make_unique<OwnCaller>("127.0.0.1", daemon_->sip_port(), std::string("127.0.0.3"));
        OwnCaller::Offer offer;
        offer.port = end_.port();
        const auto begun = Clock::now();
        EXPECT_EQ(caller->invite(offer), 200);
        EXPECT_LT(Clock::now() - begun, milliseconds(400)) << "nobody waits for STUN";
        return caller;
    }
    [[nodiscard]] std::string health() { return daemon_->get("/health").body; }

    RtpEnd end_{"127.0.0.1"};
};

TEST_F(StunTest, WhatTheServerToldIsInTheSdp) {
    const std::uint16_t port = unused_port();
    StunServer server(folder_, port);
    start_asking(port);
    const auto event = daemon_->wait_event("stun.address");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->text("address"), "127.0.0.1");
    EXPECT_NE(health().find("our address outside is 127.0.0.1"), std::string::npos) << health();
    const auto caller = call();
    EXPECT_TRUE(caller->answer_has("c=IN IP4 127.0.0.1")) << caller->answer();
    EXPECT_TRUE(end_.wait_rtp(10, seconds(5)));
    EXPECT_EQ(caller->bye(), 200);
    // It is gone, and what it told stays.
    server.stop();
    EXPECT_TRUE(call()->answer_has("c=IN IP4 127.0.0.1"));
}

TEST_F(StunTest, WithoutAServerCallsAreAnsweredAndHealthSaysWhy) {
    start_asking(unused_port());
    ASSERT_TRUE(daemon_->wait_event("stun.failed"));
    EXPECT_NE(health().find("nobody listens there"), std::string::npos) << health();
    const auto caller = call();
    EXPECT_TRUE(caller->answer_has("c=IN IP4 127.0.0.3")) << caller->answer();
    EXPECT_TRUE(end_.wait_rtp(10, seconds(5)));
    EXPECT_EQ(caller->bye(), 200);
}

}  // namespace
}  // namespace offhook::harness
