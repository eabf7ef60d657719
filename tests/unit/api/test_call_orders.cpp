// The routes that do something with calls: what they take, what they refuse and how, what they
// hand on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "api/api.h"
#include "http/loop_thread.h"
#include "http/raw_client.h"

namespace offhook::api {
namespace {

using model::OrderRefusal;
using testing::ask;
using ::testing::HasSubstr;
using testing::RawAnswer;
using Why = OrderRefusal::Why;

constexpr const char* kId = "c-000000000001";

/// Every call exists once it was placed; nothing else does.
class OneCall final : public model::CallDirectory {
public:
    std::vector<model::CallInfo> calls(bool /*ended*/) const override { return {}; }
    std::optional<model::CallInfo> find(const model::CallId& id) const override {
        if (id.text != kId) return std::nullopt;
        model::CallInfo call;
        call.id = id;
        call.state = model::CallState::Dialing;
        return call;
    }
    base::Result<void> hangup(const model::CallId&, const std::string&) override { return {}; }
    base::Result<void> send_dtmf(const model::CallId&, const std::string&) override { return {}; }
    Totals totals() const override { return {}; }
};

class RecordingControl final : public model::CallControl {
public:
    std::vector<model::PlaceOrder> placed;
    std::vector<std::string> done;
    std::vector<model::MessageOrder> sent;
    std::optional<OrderRefusal> refusal;
    std::optional<base::Error> error;
    bool is_repeat = false;

    tl::expected<model::Placed, OrderRefusal> place(model::PlaceOrder order) override {
        if (refusal) return tl::unexpected(*refusal);
        placed.push_back(std::move(order));
        return model::Placed{{kId}, is_repeat};
    }
    base::Result<void> hold(const model::CallId& id) override { return note("hold " + id.text); }
    base::Result<void> resume(const model::CallId& id) override {
        return note("resume " + id.text);
    }
    base::Result<void> transfer(const model::CallId& id, model::TransferOrder order) override {
        return note("transfer " + id.text + " to " + order.target + "|" + order.call.text);
    }
    base::Result<void> ringcentral(const model::CallId& id,
                                   model::RingCentralOrder order) override {
        return note("ringcentral " + id.text + " " + order.command + " " + order.to + "|" +
                    order.text + "|" + order.target);
    }
    tl::expected<std::uint64_t, OrderRefusal> send_message(model::MessageOrder order) override {
        if (refusal) return tl::unexpected(*refusal);
        sent.push_back(std::move(order));
        return sent.size();
    }
    std::vector<model::MessageRecord> messages(const model::CallId& call) const override {
        std::vector<model::MessageRecord> all;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            if (!call.empty() && sent[i].call != call) continue;
            model::MessageRecord record;
            record.number = i + 1;
            record.call = sent[i].call;
            record.account = sent[i].account;
            record.content_type = sent[i].content_type;
            record.body = sent[i].body;
            all.push_back(record);
        }
        return all;
    }

private:
    base::Result<void> note(std::string what) {
        if (error) return tl::unexpected(*error);
        done.push_back(std::move(what));
        return {};
    }
};

class CallOrders : public ::testing::Test {
protected:
    void SetUp() override {
        loop_.run([&] {
            api_ = std::make_unique<Api>(
                ApiParts{.calls = directory_,
                         .metrics = metrics_,
                         .control = &control_,
                         .workers = [] { return std::vector<model::WorkerStats>{}; },
                         .draining = [] { return false; },
                         .listeners = [] { return std::vector<std::string>{}; }});
            server_ = *http::Server::listen({});
            api_->install(*server_);
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] { server_.reset(); });
    }
    RawAnswer post(const std::string& target,
                   const std::string& body = {},
                   const std::string& extra = {}) {
        const std::string type = body.empty() ? "" : "Content-Type: application/json\r\n";
        return ask(address_, "POST", target, type + extra, body);
    }
    static std::string of(const char* action) {
        return std::string("/api/v1/calls/") + kId + "/" + action;
    }

    OneCall directory_;
    RecordingControl control_;
    Metrics metrics_{"test"};
    testing::LoopThread loop_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
};

TEST_F(CallOrders, PlacingHandsOnEveryMemberAndSaysWhereTheCallIs) {
    const RawAnswer a = post("/api/v1/calls",
                             R"({"account":"office","to":"+4930123456","ai":"echo",)"
                             R"("route":"sales","headers":{"X-A":"1","X-B":"2"},)"
                             R"("ring_timeout_s":45})",
                             "Idempotency-Key: k-1\r\n");
    EXPECT_EQ(a.status, 202);
    EXPECT_EQ(a.headers.at("location"), std::string("/api/v1/calls/") + kId);
    EXPECT_EQ(a.headers.count("idempotency-replayed"), 0U);
    EXPECT_THAT(a.body, HasSubstr("\"state\":\"dialing\""));
    ASSERT_EQ(control_.placed.size(), 1U);
    const model::PlaceOrder& order = control_.placed[0];
    EXPECT_EQ(order.account, "office");
    EXPECT_EQ(order.to, "+4930123456");
    EXPECT_EQ(order.ai, "echo");
    EXPECT_EQ(order.route, "sales");
    EXPECT_EQ(order.ring_timeout_s, 45);
    EXPECT_EQ(order.idempotency_key, "k-1");
    EXPECT_EQ(order.headers,
              (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}, {"X-B", "2"}}));
    EXPECT_TRUE(order.who.starts_with("api 127.0.0.1:"));
}

TEST_F(CallOrders, ARepeatedKeySaysSo) {
    control_.is_repeat = true;
    const RawAnswer a = post("/api/v1/calls", R"({"account":"a","to":"1"})");
    EXPECT_EQ(a.status, 202);
    EXPECT_EQ(a.headers.at("idempotency-replayed"), "true");
}

struct BadBody {
    const char* body;
    const char* field;  ///< empty: the whole body is to blame
};

TEST_F(CallOrders, ABodyThatCannotBeReadNamesItsField) {
    for (const BadBody& c :
         {BadBody{R"({"to":"1"})", "account"},
          {R"({"account":"a"})", "to"},
          {R"({"account":"a","to":""})", "to"},
          {R"({"account":5,"to":"1"})", "account"},
          {R"({"account":"a","to":"1","tpo":"2"})", "tpo"},
          {R"({"account":"a","to":"1","headers":["X-A"]})", "headers"},
          {R"({"account":"a","to":"1","headers":{"X-A":1}})", "headers"},
          {R"({"account":"a","to":"1","ring_timeout_s":"45"})", "ring_timeout_s"},
          {R"({"account":"a","to":"1","ring_timeout_s":99999999999})", "ring_timeout_s"},
          {R"({"account":"a","to":null})", "to"},
          {"[]", ""},
          {"{", ""}}) {
        const RawAnswer a = post("/api/v1/calls", c.body);
        EXPECT_EQ(a.status, 400) << c.body;
        if (*c.field != 0) {
            EXPECT_THAT(a.body, HasSubstr("\"field\":\"" + std::string(c.field) + "\""));
        }
    }
    EXPECT_EQ(post("/api/v1/calls").status, 400);
    EXPECT_TRUE(control_.placed.empty());
}

TEST_F(CallOrders, RingCentralIsAskedWithOrWithoutABody) {
    EXPECT_EQ(post(of("ringcentral/to-voicemail")).status, 202);
    EXPECT_EQ(post(of("ringcentral/forward"), R"({"to":"+49"})").status, 202);
    EXPECT_EQ(post(of("ringcentral/reply"), R"({"text":"later","target":"1"})").status, 202);
    EXPECT_EQ(control_.done,
              (std::vector<std::string>{std::string("ringcentral ") + kId + " to-voicemail ||",
                                        std::string("ringcentral ") + kId + " forward +49||",
                                        std::string("ringcentral ") + kId + " reply |later|1"}));
    EXPECT_EQ(post(of("ringcentral/reply"), R"({"txt":"later"})").status, 400);
    EXPECT_EQ(post("/api/v1/calls/c-000000000002/ringcentral/park").status, 404);
    control_.error = base::Error{base::ErrorCode::Conflict, "not now", {}};
    EXPECT_EQ(post(of("ringcentral/park")).status, 409);
}

struct RefusalCase {
    Why why;
    int status;
    const char* code;
};

TEST_F(CallOrders, EachRefusalHasItsStatus) {
    for (const RefusalCase& c : {RefusalCase{Why::BadField, 400, "invalid-argument"},
                                 {Why::NotAllowed, 403, "not-allowed"},
                                 {Why::KeyReused, 422, "idempotency-key-reused"},
                                 {Why::TooMany, 429, "too-many"},
                                 {Why::Unavailable, 503, "unavailable"}}) {
        control_.refusal = OrderRefusal{c.why, "to", "because", std::chrono::seconds(7)};
        const RawAnswer a = post("/api/v1/calls", R"({"account":"a","to":"1"})");
        EXPECT_EQ(a.status, c.status);
        EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
        EXPECT_EQ(a.headers.at("retry-after"), "7");
        EXPECT_THAT(a.body, HasSubstr("\"code\":\"" + std::string(c.code) + "\""));
        EXPECT_THAT(a.body, HasSubstr("\"detail\":\"because\""));
        EXPECT_THAT(a.body, HasSubstr("\"field\":\"to\""));
    }
}

TEST_F(CallOrders, APageOfSomebodyElsesCannotPlaceCalls) {
    const std::string body = R"({"account":"a","to":"1"})";
    EXPECT_EQ(post("/api/v1/calls", body, "Origin: http://evil.example\r\n").status, 403);
    EXPECT_EQ(ask(address_, "POST", "/api/v1/calls", "Content-Type: text/plain\r\n", body).status,
              415);
    EXPECT_TRUE(control_.placed.empty());
}

TEST_F(CallOrders, HoldResumeAndTransferGoToTheCall) {
    EXPECT_EQ(post(of("hold")).status, 202);
    EXPECT_EQ(post(of("resume")).status, 202);
    EXPECT_EQ(post(of("transfer"), R"({"target":"101"})").status, 202);
    EXPECT_EQ(post(of("transfer"), R"({"call":"c-000000000002"})").status, 202);
    const std::string id = kId;
    EXPECT_EQ(control_.done,
              (std::vector<std::string>{"hold " + id,
                                        "resume " + id,
                                        "transfer " + id + " to 101|",
                                        "transfer " + id + " to |c-000000000002"}));
    for (const char* bad : {R"({})", R"({"target":"1","call":"c-000000000002"})", R"({"to":"1"})"})
        EXPECT_EQ(post(of("transfer"), bad).status, 400) << bad;
    EXPECT_EQ(post("/api/v1/calls/c-00000000000f/hold").status, 404);
    EXPECT_EQ(post("/api/v1/calls/nonsense/resume").status, 404);
    EXPECT_EQ(post("/api/v1/calls/c-00000000000f/transfer", R"({"target":"1"})").status, 404);
    control_.error = base::Error{base::ErrorCode::Conflict, "we hold this call already", {}};
    const RawAnswer conflict = post(of("hold"));
    EXPECT_EQ(conflict.status, 409);
    EXPECT_THAT(conflict.body, HasSubstr("we hold this call already"));
}

TEST_F(CallOrders, TextsInACallAndOutside) {
    const RawAnswer in_call = post(of("message"), R"({"body":"hello"})");
    EXPECT_EQ(in_call.status, 202);
    EXPECT_THAT(in_call.body, HasSubstr("\"number\":1"));
    EXPECT_THAT(in_call.body, HasSubstr("\"status\":null"));
    const RawAnswer outside =
        post("/api/v1/messages",
             R"({"account":"a","to":"1","body":"x","content_type":"application/json"})");
    EXPECT_EQ(outside.status, 202);
    ASSERT_EQ(control_.sent.size(), 2U);
    EXPECT_EQ(control_.sent[0].call.text, kId);
    EXPECT_EQ(control_.sent[0].content_type, "text/plain");
    EXPECT_EQ(control_.sent[1].account, "a");
    EXPECT_EQ(control_.sent[1].content_type, "application/json");

    const std::string all = ask(address_, "GET", "/api/v1/messages").body;
    EXPECT_THAT(all, HasSubstr("\"body\":\"hello\""));
    EXPECT_THAT(all, HasSubstr("\"body\":\"x\""));
    const std::string one = ask(address_, "GET", of("messages")).body;
    EXPECT_THAT(one, HasSubstr("\"body\":\"hello\""));
    EXPECT_EQ(one.find("\"body\":\"x\""), std::string::npos);

    EXPECT_EQ(post(of("message"), R"({"body":""})").status, 400);
    EXPECT_EQ(post("/api/v1/messages", R"({"body":"x"})").status, 400);
    EXPECT_EQ(post("/api/v1/calls/c-00000000000f/message", R"({"body":"x"})").status, 404);
    control_.refusal = OrderRefusal{Why::TooMany, "", "slow down", std::chrono::seconds(3)};
    EXPECT_EQ(post(of("message"), R"({"body":"x"})").status, 429);
}

}  // namespace
}  // namespace offhook::api
