// Offhook and a browser call each other through the PBX, both as WebPhones over WSS: JsSIP in headless
// Chromium, with the media relay between them and without. Offhook's AI is the echo, so each hears
// what the browser's microphone says.

#include <gtest/gtest.h>

#include <iostream>

#include "harness/call_test.h"
#include "pbx/web_phone.h"

namespace offhook::harness {
namespace {

using Media = Pbx::Media;
using Transport = Pbx::Transport;

constexpr double kTone_hz = 440;
constexpr std::uint32_t kOpusStep_rtp = 960;  ///< 20 ms at 48 kHz

/// One browser phone and one account of Offhook that reach each other.
struct Way {
    const char* name;
    const char* browser;
    const char* offhook;
};

constexpr Way kRelayed{"Relayed", "anna", "office"};
constexpr Way kDirect{"Direct", "otto", "desk"};

void PrintTo(const Way& way, std::ostream* out) {
    *out << way.name;
}

/// The programs that all tests of this file share; each starts in seconds.
struct World {
    World() {
        Pbx::Options options;
        options.users.clear();
        for (const auto& [way, media] :
             {std::pair{kRelayed, Media::Dtls}, {kDirect, Media::Direct}}) {
            options.users.push_back({.name = way.browser, .media = media});
            options.users.push_back({.name = way.offhook, .media = media});
        }
        options.no_media_limit = seconds(0);
        pbx = std::make_unique<Pbx>(folder, options);
        Daemon::Options daemon_options;
        daemon_options.ports = {ports.first, first_web_port() - 1};
        daemon_options.more = "[state]\ndirectory = \"" + (folder / "state").string() +
                              "\"\n[web]\naddresses = [\"127.0.0.1\"]\nports = \"" +
                              std::to_string(first_web_port()) + "-" + std::to_string(ports.last) +
                              "\"\n";
        for (const Way& way : {kRelayed, kDirect}) {
            daemon_options.more +=
                pbx->account(way.offhook, Transport::Wss) +
                "media = \"web\"\nallow_outbound = true\noutbound_allow = [\"*\"]\n";
        }
        daemon = std::make_unique<Daemon>(folder, daemon_options);
        Browser::Options phone;
        phone.says = tone(48000, kTone_hz, 10);
        phone.trusts = {pbx->certificate_file()};
        browser = std::make_unique<Browser>(folder, phone);
        for (const Way& way : {kRelayed, kDirect}) {
            if (!pbx->wait_registered(way.offhook, seconds(20))) {
                throw std::runtime_error(std::string(way.offhook) + " does not register:\n" +
                                         daemon->process().output());
            }
        }
    }
    [[nodiscard]] std::uint16_t first_web_port() const {
        return static_cast<std::uint16_t>(ports.first + 500);
    }

    TempDir folder;
    RtpPorts ports;
    std::unique_ptr<Pbx> pbx;
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<Browser> browser;
};

class JssipTest : public testing::TestWithParam<Way> {
protected:
    static void SetUpTestSuite() {
        if (Pbx::missing().empty() && Browser::missing().empty()) {
            world_ = std::make_unique<World>();
        }
    }
    static void TearDownTestSuite() { world_.reset(); }

    void SetUp() override {
        for (const std::string& reason : {Pbx::missing(), Browser::missing()}) {
            if (!reason.empty()) {
                GTEST_SKIP() << reason;
            }
        }
        phone_ = std::make_unique<WebPhone>(*world_->browser, *world_->pbx, way().browser);
        capture_ =
            std::make_unique<Capture>(folder_,
                                      "udp portrange " + std::to_string(world_->first_web_port()) +
                                          "-" + std::to_string(world_->ports.last));
        log_start_ = world_->daemon->process().output().size();
    }

    void TearDown() override {
        if (HasFailure()) {
            std::cerr << "the daemon's log:\n"
                      << world_->daemon->process().output().substr(log_start_) << world_->pbx->log()
                      << world_->browser->log();
        }
        if (phone_ != nullptr) {
            phone_->page().close();
        }
        if (world_ != nullptr) {
            EXPECT_TRUE(world_->daemon->wait_live_calls(0));
        }
    }

    [[nodiscard]] static Way way() { return GetParam(); }

    /// The browser calls Offhook, or is called, and both ends are up.
    void call_offhook() {
        phone_->dial(way().offhook);
        phone_->talking();
    }
    void call_browser() {
        const HttpAnswer answer =
            world_->daemon->post("/api/v1/calls",
                                 std::string(R"({"account":")") + way().offhook + R"(","to":")" +
                                     way().browser + R"("})");
        ASSERT_EQ(answer.status, 202) << answer.body;
        phone_->talking();
    }

    void expect_echo(milliseconds length = seconds(3)) {
        const Json heard = phone_->listen(kTone_hz, length);
        // getStats looks every 50 ms or so.
        const double tolerance_hz = 5 / std::chrono::duration<double>(length).count();
        EXPECT_NEAR(heard.number("receivedHz"), 50, tolerance_hz);
        EXPECT_NEAR(heard.number("sentHz"), 50, tolerance_hz);
        EXPECT_EQ(heard.number("lostMore"), 0);
        EXPECT_LT(heard.number("concealedShare"), 0.05);
        EXPECT_GT(heard.number("toneShare"), 0.8) << "level " << heard.number("levelDb") << " dB";
    }

    /// What the call is in the API, while it is up.
    [[nodiscard]] Json shown() const {
        return world_->daemon->json("/api/v1/calls/" + world_->daemon->only_call());
    }

    /// What Offhook sent, whatever ports the transports of the call had.
    [[nodiscard]] RtpVerdict sent_by_offhook() {
        const std::uint16_t first = world_->first_web_port();
        const std::uint16_t last = world_->ports.last;
        auto packets = capture_->rtp(first, last, true);
        std::erase_if(packets, [first, last](const RtpPacket& packet) {
            return packet.source_port < first || packet.source_port > last;
        });
        const RtpVerdict verdict = RtpStream(std::move(packets)).judge(kOpusStep_rtp);
        std::cout << verdict.text() << '\n';
        return verdict;
    }

    static std::unique_ptr<World> world_;
    TempDir folder_;
    std::unique_ptr<WebPhone> phone_;
    std::unique_ptr<Capture> capture_;
    std::size_t log_start_ = 0;
};

std::unique_ptr<World> JssipTest::world_;

TEST_P(JssipTest, BrowserCallsOffhook) {
    call_offhook();
    EXPECT_EQ(shown().text("codec"), "opus");
    expect_echo();
    const std::string id = world_->daemon->only_call();
    phone_->hang_up();
    EXPECT_TRUE(world_->daemon->wait_live_calls(0));
    // The browser closes DTLS before its BYE; a vanished peer it is not.
    EXPECT_EQ(world_->daemon->json("/api/v1/calls/" + id).text("end.reason"), "caller-hangup");
    const RtpVerdict sent = sent_by_offhook();
    EXPECT_TRUE(keeps_promise(sent));
    EXPECT_GE(sent.duration_s, 3.8);
}

TEST_P(JssipTest, OffhookCallsTheBrowser) {
    call_browser();
    EXPECT_EQ(shown().text("direction"), "outbound");
    expect_echo();
    const std::string id = world_->daemon->only_call();
    EXPECT_EQ(world_->daemon->post("/api/v1/calls/" + id + "/hangup").status, 202);
    EXPECT_EQ(phone_->ended().text("originator"), "remote");
    const RtpVerdict sent = sent_by_offhook();
    EXPECT_TRUE(keeps_promise(sent));
    EXPECT_GE(sent.duration_s, 3.8);
}

// ICE restart: new credentials and, from us, a new transport. The browser closes the old one first, so
// there is a pause; the stream goes on where it was.
TEST_P(JssipTest, IceRestartsUnderTheCall) {
    call_offhook();
    expect_echo(seconds(1));
    phone_->page().call("restartIce");
    expect_echo(seconds(2));
    phone_->hang_up();
    EXPECT_TRUE(world_->daemon->wait_live_calls(0));
    const RtpVerdict sent = sent_by_offhook();
    EXPECT_EQ(sent.ssrcs, 1U);
    EXPECT_EQ(sent.sequence_breaks, 0U);
    EXPECT_LE(sent.timestamp_breaks, 1U);
    EXPECT_LT(sent.longest_gap_ms, 1000);
    EXPECT_GE(sent.duration_s, 4.7);
}

TEST_P(JssipTest, HoldAndResume) {
    call_offhook();
    expect_echo(seconds(1));
    phone_->page().call("hold");
    const Json quiet = phone_->listen(kTone_hz, seconds(1));
    EXPECT_EQ(quiet.number("receivedHz"), 0);
    phone_->page().call("resume");
    expect_echo(seconds(1));
    phone_->hang_up();
    EXPECT_TRUE(world_->daemon->wait_live_calls(0));
    const RtpVerdict sent = sent_by_offhook();
    EXPECT_EQ(sent.ssrcs, 1U);
    EXPECT_EQ(sent.sequence_breaks, 0U);
}

TEST_P(JssipTest, DigitsOfTheBrowserArrive) {
    call_offhook();
    phone_->page().call("press", "[\"7\"]");
    EXPECT_TRUE(eventually(seconds(10), nullptr, [&] {
        return shown().number("stats.received_dtmf_events") == 1;
    })) << world_->daemon->get("/api/v1/calls").body;
    phone_->hang_up();
}

INSTANTIATE_TEST_SUITE_P(Ways, JssipTest, testing::Values(kRelayed, kDirect), [](const auto& one) {
    return std::string(one.param.name);
});

}  // namespace
}  // namespace offhook::harness
