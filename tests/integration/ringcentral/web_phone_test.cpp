// The stand-in, tried with the vendor's own WebPhone in Chromium: what it demands of a phone is what
// theirs does. Offhook is judged by the same function in ringcentral_test.cpp.
#include <gtest/gtest.h>

#include "harness/browser.h"
#include "harness/call_test.h"
#include "stand_in.h"

namespace offhook::harness {
namespace {

constexpr double kTone_hz = 700;

class WebPhone : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = Browser::missing(); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
        stand_in_ = std::make_unique<StandIn>(folder_ / "stand-in");
        Browser::Options options;
        options.says = tone(48000, kTone_hz, 1);
        options.trusts = {stand_in_->certificate()};
        options.pages = OFFHOOK_PAGES;
        browser_ = std::make_unique<Browser>(folder_, options);
        page_ = std::make_unique<Browser::Page>(browser_->open("web-phone.html"));
        const std::string info = stand_in_->steer("{\"do\":\"provision\"}").text("json");
        page_->call("start", "[" + info + ",\"11111111-2222-4333-8444-555555555555\"]");
    }

    void TearDown() override {
        if (!stand_in_) return;
        stand_in_->expect_no_violations();
        if (!HasFailure()) return;
        std::fprintf(stderr, "stand-in: %s\n", stand_in_->text().c_str());
        std::fprintf(stderr, "%s\n", stand_in_->output().c_str());
        if (browser_) std::fprintf(stderr, "%s\n", browser_->log().c_str());
    }

    /// A call that rings in the page; its number at the stand-in.
    int ringing(const std::string& plan = {}) {
        const int id = stand_in_->call("\"kind\":\"WSS\"" + plan);
        EXPECT_TRUE(stand_in_->call_shows(
            id,
            [](const Json& s, const std::string& c) { return s.number(c + "confirmations") == 1; },
            &browser_->process()));
        return id;
    }

    TempDir folder_;
    std::unique_ptr<StandIn> stand_in_;
    std::unique_ptr<Browser> browser_;
    std::unique_ptr<Browser::Page> page_;
};

TEST_F(WebPhone, RegistersAndAnswersCalls) {
    EXPECT_EQ(stand_in_->state().size("live"), 1U);
    const int id = ringing();
    page_->call("answer", "[0]");
    expect_web_call(*stand_in_, id, &browser_->process());
    page_->call("listen", "[0,700]");
    EXPECT_TRUE(eventually(seconds(10), &browser_->process(), [&] {
        const Json heard = page_->call("heard");
        return heard.number("looks") > 10 && heard.number("share") > 0.7;
    }));
    EXPECT_EQ(page_->call("record", "[0]").text("description"), "as told");
    stand_in_->steer("{\"do\":\"hangup\",\"call\":" + std::to_string(id) + "}");
    // A call from a queue has no description: theirs is in the 200.
    const int queued = ringing(",\"empty\":true");
    page_->call("answer", "[1]");
    expect_web_call(*stand_in_, queued, &browser_->process());
    stand_in_->steer("{\"do\":\"hangup\",\"call\":" + std::to_string(queued) + "}");
    page_->call("stop");
    EXPECT_TRUE(eventually(
        seconds(5), &browser_->process(), [&] { return stand_in_->state().size("live") == 0; }));
}

TEST_F(WebPhone, SendsCallsElsewhere) {
    const int voicemail = ringing();
    page_->call("toVoicemail", "[0]");
    EXPECT_TRUE(stand_in_->call_shows(
        voicemail,
        [](const Json& s, const std::string& c) {
            return s.text(c + "orders.0") == "11" && s.text(c + "ended_by") == "cancelled";
        },
        &browser_->process()));
    const int declined = ringing();
    page_->call("decline", "[1]");
    EXPECT_TRUE(stand_in_->call_shows(
        declined,
        [](const Json& s, const std::string& c) {
            return s.text(c + "orders.0") == "12" && s.text(c + "ended_by") == "cancelled";
        },
        &browser_->process()));
}

TEST_F(WebPhone, AnswersWhenTheServerOrdersIt) {
    const int id = ringing(",\"answer_after\":300");
    expect_web_call(*stand_in_, id, &browser_->process());
}

}  // namespace
}  // namespace offhook::harness
