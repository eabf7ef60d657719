// A leg that may show no address of its own: everything by a TURN server (coturn, unpacked by
// scripts/peers).

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "harness/own_caller.h"
#include "harness/web_peer.h"
#include "own_end.h"

namespace offhook::tests {
namespace {

using harness::milliseconds;
using harness::Process;
using harness::WebPeer;
using std::chrono::seconds;

constexpr milliseconds kConnect = seconds(15);
/// Every character that means something in a URL, but for those that mean something to coturn's own
/// configuration file.
const std::string kUser = "1700/al@ice";
const std::string kSecret = "p:w?%40/ @&=+";

std::filesystem::path peers() {
    const char* folder = std::getenv("OFFHOOK_PEERS");
    return std::filesystem::absolute(folder != nullptr ? folder : "build/peers");
}

/// coturn as a TURN server on loopback, which relays to loopback too.
class TurnServer {
public:
    TurnServer() : port_(harness::RtpEnd("127.0.0.1").port()) {
        std::ofstream(folder_ / "turnserver.conf")
            << "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port=" << port_
            << "\nno-tls\nno-dtls\nno-cli\nno-tcp\nno-tcp-relay\nverbose\nallow-loopback-peers\n"
               "lt-cred-mech\nrealm=offhook.test\nuser="
            << kUser << ':' << kSecret
            << "\nlog-file=stdout\npidfile=" << (folder_ / "turnserver.pid").string()
            << "\nuserdb=" << (folder_ / "turnserver.db").string() << '\n';
        Process::Options options;
        for (const auto& entry : std::filesystem::directory_iterator(peers() / "usr/lib")) {
            if (entry.path().filename().string().ends_with("-linux-gnu"))
                options.env["LD_LIBRARY_PATH"] = entry.path().string();
        }
        process_ = std::make_unique<Process>(
            std::vector<std::string>{(peers() / "usr/bin/turnserver").string(),
                                     "-c",
                                     (folder_ / "turnserver.conf").string()},
            options);
        if (!process_->wait_output("Total General servers", seconds(20)))
            throw std::runtime_error("turnserver does not start:\n" + process_->output());
    }
    [[nodiscard]] std::string url() const {
        return "turn:127.0.0.1:" + std::to_string(port_) + "?transport=udp";
    }
    std::string output() { return process_->output(); }
    bool wait_output(const std::string& text, milliseconds limit) {
        return process_->wait_output(text, limit).has_value();
    }

private:
    harness::TempDir folder_;
    std::uint16_t port_;
    std::unique_ptr<Process> process_;
};

class WebTurnTest : public testing::Test {
protected:
    static void SetUpTestSuite() { WebPeer::warm_up(); }
    void SetUp() override {
        if (!std::filesystem::exists(peers() / "usr/bin/turnserver"))
            GTEST_SKIP() << "no turnserver in " << peers().string() << "; scripts/peers unpacks it";
        server_ = std::make_unique<TurnServer>();
    }
    OwnEnd::Options relayed(const std::string& secret = kSecret) {
        OwnEnd::Options options;
        options.settings = OwnEnd::loopback();
        options.settings.relay_only = true;
        options.settings.ice_servers = {
            {.url = server_->url(), .username = kUser, .credential = secret}};
        return options;
    }
    static WebPeer::Options speaks() {
        WebPeer::Options options;
        options.sound = harness::tone(8000, 600, 1);
        return options;
    }
    void expect_relayed_both_ways(OwnEnd& own, WebPeer& peer) {
        ASSERT_TRUE(own.wait_verified(kConnect))
            << (own.end() ? own.end()->detail : "") << server_->output();
        ASSERT_TRUE(own.wait_packets(50, seconds(10)));
        ASSERT_TRUE(peer.wait_packets(50, seconds(10)));
        ASSERT_FALSE(own.local()->candidates.empty());
        for (const std::string& candidate : own.local()->candidates)
            EXPECT_NE(candidate.find(" typ relay"), std::string::npos) << candidate;
    }

    std::unique_ptr<TurnServer> server_;
};

TEST_F(WebTurnTest, AnswersByTheRelayAlone) {
    WebPeer peer(speaks());
    OwnEnd own(relayed());
    peer.take_answer(own.answer(peer.offer()));
    expect_relayed_both_ways(own, peer);
    own.retire();
    // The server has its address back, and not when ten minutes have passed.
    EXPECT_TRUE(server_->wait_output("delete: realm=<offhook.test>", seconds(5)))
        << server_->output();
}

TEST_F(WebTurnTest, OffersByTheRelayAlone) {
    WebPeer peer(speaks());
    OwnEnd own(relayed());
    own.take_answer(peer.answer(own.offer()));
    expect_relayed_both_ways(own, peer);
}

TEST_F(WebTurnTest, PeerBehindTheRelayIsLostWhenItVanishesAndNotOnHold) {
    WebPeer::Options silent = speaks();
    silent.is_mute = true;
    WebPeer peer(silent);
    OwnEnd::Options options = relayed();
    options.settings.vanish_after = milliseconds(2'500);
    options.settings.vanish_end = seconds(1);
    OwnEnd own(options);
    own.set_mute(true);
    peer.take_answer(own.answer(peer.offer()));
    ASSERT_TRUE(own.wait_verified(kConnect));
    EXPECT_FALSE(own.run_until([&] { return own.end() || !own.losses().empty(); }, seconds(9)));
    peer.vanish();
    ASSERT_TRUE(own.run_until([&] { return !own.losses().empty(); }, seconds(4)));
    ASSERT_TRUE(own.wait_failed(seconds(3)));
    EXPECT_EQ(own.end()->reason, model::EndReason::PeerVanished);
}

TEST_F(WebTurnTest, WrongSecretLeavesNoWay) {
    WebPeer peer(speaks());
    OwnEnd own(relayed("wrong"));
    EXPECT_THROW(own.answer(peer.offer()), std::runtime_error);
    ASSERT_TRUE(own.end());
    EXPECT_EQ(own.end()->reason, model::EndReason::IceFailed) << own.end()->detail;
    EXPECT_EQ(own.end()->detail.find(kSecret), std::string::npos);
}

}  // namespace
}  // namespace offhook::tests
