// The PBX with a browser as its phone: JsSIP over WSS, DTLS-SRTP to the relay or straight to the other
// end. One that answers and sends nothing loses its call like any other phone.

#include <gtest/gtest.h>

#include <iostream>

#include "harness/call_test.h"
#include "pbx/web_phone.h"

namespace offhook::harness {
namespace {

using Media = Pbx::Media;
using Transport = Pbx::Transport;

constexpr int kLimit_s = 3;
constexpr double kBrowser_hz = 440, kCaller_hz = 700;

class WebTest : public testing::Test {
protected:
    void SetUp() override {
        for (const std::string& reason : {Pbx::missing(), Browser::missing()}) {
            if (!reason.empty()) {
                GTEST_SKIP() << reason;
            }
        }
    }

    void start(const std::vector<Pbx::User>& users) {
        Pbx::Options options;
        options.users = users;
        options.no_media_limit = seconds(kLimit_s);
        pbx_ = std::make_unique<Pbx>(folder_, options);
        capture_ = std::make_unique<Capture>(folder_, pbx_->filter());
        Browser::Options phone;
        phone.says = tone(48000, kBrowser_hz, 10);
        phone.trusts = {pbx_->certificate_file()};
        browser_ = std::make_unique<Browser>(folder_, phone);
    }

    /// SIPp calls from outside and hangs up after `length`.
    std::unique_ptr<Sipp> call(const std::string& user, milliseconds length) {
        const std::filesystem::path says = folder_ / "caller.ulaw";
        write_mulaw(says, tone(8000, kCaller_hz, 1));
        Scenario scenario;
        scenario.invite({}).may_receive(100).may_receive(180).receive(200).ack().stream(says);
        scenario.pause(length).bye().receive(200);
        Sipp::Options options;
        options.user = user;
        return std::make_unique<Sipp>(folder_, pbx_->trunk_port(), scenario, options);
    }

    static void expect_heard(const Json& heard) {
        EXPECT_NEAR(heard.number("receivedHz"), 50, 2);
        EXPECT_LT(heard.number("concealedShare"), 0.05);
        EXPECT_GT(heard.number("toneShare"), 0.8);
    }

    void TearDown() override {
        if (HasFailure() && pbx_ != nullptr) {
            std::cerr << pbx_->log();
        }
        if (HasFailure() && browser_ != nullptr) {
            std::cerr << browser_->log();
        }
    }

    TempDir folder_;
    std::unique_ptr<Pbx> pbx_;
    std::unique_ptr<Capture> capture_;
    std::unique_ptr<Browser> browser_;
};

TEST_F(WebTest, BrowserTakesACallFromOutside) {
    start({{.name = "alice", .media = Media::Dtls}});
    WebPhone phone(*browser_, *pbx_, "alice");
    const auto caller = call("alice", seconds(2 * kLimit_s));
    phone.talking();
    expect_heard(phone.listen(kCaller_hz, seconds(2)));
    EXPECT_TRUE(caller->succeeds()) << caller->problem();
    EXPECT_EQ(phone.ended().text("originator"), "remote");
    EXPECT_TRUE(pbx_->diversions().empty());
}

// Answered over WSS, ICE and DTLS up, and not one packet: the original failure, in a browser.
TEST_F(WebTest, SilentBrowserLosesTheCallToTheVoicemail) {
    start({{.name = "alice", .media = Media::Dtls}});
    WebPhone phone(*browser_, *pbx_, "alice", Transport::Wss, true);
    const auto caller = call("alice", seconds(kLimit_s + 3));
    phone.talking();
    const auto diversion = pbx_->wait_diversion(seconds(20));
    ASSERT_TRUE(diversion) << caller->problem();
    EXPECT_NEAR(diversion->after_answer_s, kLimit_s, 0.5);
    const Json why = phone.ended();
    EXPECT_EQ(why.text("originator"), "remote");
    EXPECT_NE(why.text("reason").find("cause=480"), std::string::npos) << why.text("reason");
    EXPECT_TRUE(caller->succeeds()) << caller->problem();
    // To the relay came the caller's packets and nobody else's.
    const auto sent = streams(capture_->rtp(pbx_->first_rtp_port(), pbx_->last_rtp_port()),
                              pbx_->first_rtp_port(),
                              pbx_->last_rtp_port(),
                              false);
    ASSERT_EQ(sent.size(), 1U) << sent.back().judge().text();
    EXPECT_EQ(sent.front().judge().payload_types, std::vector<std::uint8_t>{0});
}

struct Path {
    const char* name;
    Media media;
    Transport transport;
};

void PrintTo(const Path& path, std::ostream* out) {
    *out << path.name;
}

class BrowsersTest : public WebTest, public testing::WithParamInterface<Path> {};

TEST_P(BrowsersTest, CallEachOther) {
    start(
        {{.name = "alice", .media = GetParam().media}, {.name = "bob", .media = GetParam().media}});
    WebPhone alice(*browser_, *pbx_, "alice", GetParam().transport);
    WebPhone bob(*browser_, *pbx_, "bob", GetParam().transport);
    alice.dial("bob");
    alice.talking();
    bob.talking();
    expect_heard(alice.listen(kBrowser_hz, seconds(2)));
    expect_heard(bob.listen(kBrowser_hz, seconds(2)));
    alice.hang_up();
    EXPECT_EQ(bob.ended().text("originator"), "remote");
}

INSTANTIATE_TEST_SUITE_P(Paths,
                         BrowsersTest,
                         testing::Values(Path{"Relayed", Media::Dtls, Transport::Wss},
                                         Path{"Direct", Media::Direct, Transport::Ws}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace offhook::harness
