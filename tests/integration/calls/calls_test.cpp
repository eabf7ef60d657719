// Calls that the daemon places on an account, and what both sides may do in them.

#include <gtest/gtest.h>

#include "calls/far_end.h"
#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class CallsTest : public CallTest {
protected:
    void begin(const std::string& behaviour, int invites = 1, const std::string& tables = {}) {
        far_end_.emplace(folder_, behaviour, invites);
        start(far_end_->account(tables));
        ASSERT_TRUE(daemon_->wait_event("account.registered"));
    }
    /// @return the id of the call
    std::string place(const std::string& to = "101", const std::string& more = {}) {
        const HttpAnswer answer = daemon_->post(
            "/api/v1/calls", R"({"account":"office","to":")" + to + "\"" + more + "}");
        EXPECT_EQ(answer.status, 202) << answer.body;
        return Json(answer.body).text("id");
    }
    Json call(const std::string& id) { return daemon_->json("/api/v1/calls/" + id); }
    /// Waits until the call's member has this text.
    ::testing::AssertionResult becomes(const std::string& id,
                                       const std::string& member,
                                       const std::string& wanted) {
        std::string now;
        const bool is_so = eventually(seconds(10), &daemon_->process(), [&] {
            now = call(id).text(member);
            return now == wanted;
        });
        if (is_so) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << member << " stayed " << now;
    }
    ::testing::AssertionResult sends(const std::string& id, double packets) {
        const bool is_so = eventually(seconds(10), &daemon_->process(), [&] {
            return call(id).number("stats.sent_packets") >= packets;
        });
        if (is_so) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << "fewer than " << packets << " packets were sent";
    }
    int post(const std::string& id, const std::string& action, const std::string& body = {}) {
        return daemon_->post("/api/v1/calls/" + id + "/" + action, body).status;
    }
    void expect_far_end_content() { EXPECT_TRUE(far_end_->succeeds()) << far_end_->problem(); }

    std::optional<FarEnd> far_end_;
};

TEST_F(CallsTest, PlacedRingsIsAnsweredAndHungUp) {
    begin("placed");
    const std::string id = place();
    ASSERT_TRUE(daemon_->wait_event("call.ringing"));
    ASSERT_TRUE(becomes(id, "state", "answered"));
    EXPECT_EQ(call(id).text("direction"), "outbound");
    EXPECT_EQ(call(id).text("account"), "office");
    EXPECT_EQ(call(id).text("transport"), "udp");
    EXPECT_EQ(call(id).text("codec"), "PCMU");
    EXPECT_FALSE(call(id).text("sip_call_id").empty());
    EXPECT_TRUE(sends(id, 25));
    EXPECT_EQ(post(id, "hangup"), 202);
    EXPECT_TRUE(becomes(id, "end.reason", "api-hangup"));
    expect_far_end_content();
    const std::string metrics = daemon_->get("/metrics").body;
    EXPECT_NE(metrics.find("offhook_calls_placed_total{result=\"answered\"} 1"), std::string::npos);
}

TEST_F(CallsTest, BusyIsTheCalleesDoing) {
    begin("busy");
    const std::string id = place();
    EXPECT_TRUE(becomes(id, "end.reason", "busy"));
    EXPECT_EQ(call(id).text("end.class"), "callee");
    EXPECT_EQ(call(id).number("end.sip_status"), 486);
    expect_far_end_content();
}

TEST_F(CallsTest, NobodyAnswersAndWeGiveUp) {
    begin("nobody_answers");
    const std::string id = place("101", R"(,"ring_timeout_s":5)");
    EXPECT_TRUE(becomes(id, "end.reason", "no-answer"));
    expect_far_end_content();
}

TEST_F(CallsTest, AHangupWhileItRingsIsACancel) {
    begin("nobody_answers");
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "ringing"));
    EXPECT_EQ(post(id, "hangup"), 202);
    EXPECT_TRUE(becomes(id, "end.reason", "api-hangup"));
    expect_far_end_content();
}

TEST_F(CallsTest, ACallThatIsTakenAwayIsNamed) {
    begin("taken_away");
    const std::string id = place();
    const auto event = daemon_->wait_event("call.diverted");
    ASSERT_TRUE(event);
    EXPECT_TRUE(becomes(id, "end.reason", "diverted"));
    EXPECT_EQ(call(id).text("end.class"), "upstream");
    EXPECT_EQ(call(id).text("end.peer_reasons.0.protocol"), "SIP");
    EXPECT_EQ(call(id).number("end.peer_reasons.0.cause"), 480);
    EXPECT_NE(call(id).text("end.detail").find("without a pause"), std::string::npos)
        << call(id).text("end.detail");
    expect_far_end_content();
    EXPECT_NE(daemon_->get("/metrics").body.find("offhook_calls_diverted_total 1"),
              std::string::npos);
}

TEST_F(CallsTest, WeHoldAndTakeItBackAndRtpNeverStops) {
    begin("held_by_us");
    start_capture();
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "answered"));
    ASSERT_TRUE(sends(id, 25));
    EXPECT_EQ(post(id, "hold"), 202);
    ASSERT_TRUE(becomes(id, "state", "held"));
    ASSERT_TRUE(sends(id, call(id).number("stats.sent_packets") + 50));
    EXPECT_EQ(post(id, "resume"), 202);
    ASSERT_TRUE(becomes(id, "state", "answered"));
    ASSERT_TRUE(sends(id, call(id).number("stats.sent_packets") + 25));
    EXPECT_EQ(post(id, "hangup"), 202);
    expect_far_end_content();
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(CallsTest, AHoldThatIsRefusedChangesNothing) {
    begin("hold_refused");
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "answered"));
    EXPECT_EQ(post(id, "hold"), 202);
    ASSERT_TRUE(daemon_->wait_event("call.hold_failed"));
    EXPECT_EQ(call(id).text("state"), "answered");
    ASSERT_TRUE(sends(id, call(id).number("stats.sent_packets") + 25));
    EXPECT_EQ(post(id, "hangup"), 202);
    expect_far_end_content();
}

TEST_F(CallsTest, WeSendThePeerElsewhere) {
    begin("sent_elsewhere");
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "answered"));
    EXPECT_EQ(post(id, "transfer", R"({"target":"+18005550100"})"), 400);
    EXPECT_EQ(post(id, "transfer", R"({"target":"102"})"), 202);
    EXPECT_TRUE(becomes(id, "end.reason", "transferred"));
    EXPECT_EQ(call(id).number("transfer.status"), 200);
    expect_far_end_content();
}

TEST_F(CallsTest, WeConnectTwoFarEndsWithEachOther) {
    begin("connected", 2);
    const std::string first = place("101");
    const std::string second = place("103");
    ASSERT_TRUE(becomes(first, "state", "answered"));
    ASSERT_TRUE(becomes(second, "state", "answered"));
    EXPECT_EQ(post(first, "transfer", R"({"call":")" + second + "\"}"), 202);
    EXPECT_TRUE(becomes(first, "end.reason", "transferred"));
    EXPECT_TRUE(becomes(second, "end.reason", "transferred"));
    expect_far_end_content();
}

TEST_F(CallsTest, ThePeerSendsUsElsewhereAndTheAiGoesAlong) {
    begin("sends_us_elsewhere", 2);
    const std::string old = place();
    ASSERT_TRUE(becomes(old, "transfer.by", "peer"));
    ASSERT_TRUE(becomes(old, "end.reason", "transferred"));
    const std::string id = call(old).text("transfer.call");
    EXPECT_EQ(call(id).text("state"), "answered");
    EXPECT_EQ(call(id).text("ai.name"), "echo");
    EXPECT_TRUE(sends(id, 25));
    EXPECT_EQ(post(id, "hangup"), 202);
    expect_far_end_content();
}

TEST_F(CallsTest, TextsGoBothWays) {
    begin("texts");
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "answered"));
    EXPECT_EQ(post(id, "message", R"({"body":"hello","headers":{"X-Order":"4711"}})"), 202);
    ASSERT_TRUE(daemon_->wait_event("message.sent"));
    ASSERT_TRUE(daemon_->wait_event("message.received"));
    const Json texts = daemon_->json("/api/v1/calls/" + id + "/messages");
    EXPECT_EQ(texts.size("items"), 2U);
    EXPECT_EQ(texts.number("items.0.status"), 202);
    EXPECT_EQ(texts.text("items.1.direction"), "inbound");
    EXPECT_EQ(texts.text("items.1.body"), "and hello to you");
    EXPECT_EQ(post(id, "hangup"), 202);
    expect_far_end_content();
}

TEST_F(CallsTest, DigitsGoByInfoWhereThereIsNoTelephoneEvent) {
    begin("digits_by_info");
    const std::string id = place();
    ASSERT_TRUE(becomes(id, "state", "answered"));
    EXPECT_EQ(post(id, "dtmf", R"({"digits":"7"})"), 202);
    ASSERT_TRUE(daemon_->wait_event("call.dtmf"));
    EXPECT_EQ(post(id, "hangup"), 202);
    expect_far_end_content();
}

TEST_F(CallsTest, WhatTheAccountDoesNotAllowIsNotSent) {
    begin("placed");
    const HttpAnswer foreign =
        daemon_->post("/api/v1/calls", R"({"account":"office","to":"+18005550100"})");
    EXPECT_EQ(foreign.status, 403);
    EXPECT_EQ(Json(foreign.body).text("field"), "to");
    const HttpAnswer unknown = daemon_->post("/api/v1/calls", R"({"account":"home","to":"101"})");
    EXPECT_EQ(unknown.status, 400);
    EXPECT_EQ(Json(unknown.body).text("field"), "account");
    EXPECT_EQ(daemon_->count_events("call.placed"), 0U);
}

}  // namespace
}  // namespace offhook::harness
