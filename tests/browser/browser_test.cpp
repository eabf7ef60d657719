// The browser of the tests is tested first: microphone, ICE on loopback, meters, and that it calls
// nobody.

#include "harness/browser.h"

#include <gtest/gtest.h>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

constexpr double kTone_hz = 440;

class BrowserTest : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = Browser::missing(); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
    }
    TempDir folder_;
};

TEST_F(BrowserTest, TwoPeersOfOnePageHearEachOther) {
    Browser::Options options;
    options.says = tone(48000, kTone_hz, 10);
    options.is_network_logged = true;
    Browser browser(folder_, options);
    const Json heard = browser.open("loopback.html").call("talk", "[440, 3000]");
    EXPECT_EQ(heard.text("state"), "connected");
    EXPECT_NE(heard.text("candidates.0").find(" 127.0.0.1 "), std::string::npos)
        << heard.text("candidates.0");
    EXPECT_NEAR(heard.number("receivedHz"), 50, 1.5);
    EXPECT_LT(heard.number("concealedShare"), 0.02);
    EXPECT_GT(heard.number("toneShare"), 0.8);
    // Another tone is not taken for it.
    const Json other = browser.open("loopback.html").call("talk", "[640, 1000]");
    EXPECT_EQ(other.number("toneShare"), 0);
    EXPECT_EQ(browser.close(), 0) << browser.log();
}

TEST_F(BrowserTest, FailuresOfAPageReachTheTest) {
    Browser browser(folder_);
    const Browser::Page page = browser.open("loopback.html");
    EXPECT_THROW(page.call("whistle"), std::runtime_error);
    EXPECT_THROW(page.call("talk", "[440, 60000]", seconds(1)), std::runtime_error);
}

}  // namespace
}  // namespace offhook::harness
