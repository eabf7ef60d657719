// The routes of voice channels: the shapes that they promise, and what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "api/api.h"
#include "base/json_writer.h"
#include "http/loop_thread.h"
#include "http/raw_client.h"

namespace offhook::api {
namespace {

using testing::ask;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RawAnswer;

constexpr std::int64_t kNoon = 1'795'176'000'000'000'000;
constexpr const char* kId = "c-000000000001";

class OneCall final : public model::CallDirectory {
public:
    std::vector<model::CallInfo> calls(bool /*ended*/) const override { return {}; }
    std::optional<model::CallInfo> find(const model::CallId& id) const override {
        if (id.text != kId) return std::nullopt;
        model::CallInfo call;
        call.id = id;
        return call;
    }
    base::Result<void> hangup(const model::CallId&, const std::string&) override { return {}; }
    base::Result<void> send_dtmf(const model::CallId&, const std::string&) override { return {}; }
    Totals totals() const override { return {}; }
};

class Supervisor final : public model::CallControl {
public:
    std::optional<base::Error> error;

    tl::expected<model::Placed, model::OrderRefusal> place(model::PlaceOrder) override {
        return tl::unexpected(model::OrderRefusal{});
    }
    base::Result<void> hold(const model::CallId&) override { return {}; }
    base::Result<void> resume(const model::CallId&) override { return {}; }
    base::Result<void> transfer(const model::CallId&, model::TransferOrder) override { return {}; }
    base::Result<void> ringcentral(const model::CallId&, model::RingCentralOrder) override {
        return {};
    }
    base::Result<std::string> supervise(const model::CallId& id) override {
        if (error) return tl::unexpected(*error);
        return "call-" + id.text;
    }
    tl::expected<std::uint64_t, model::OrderRefusal> send_message(model::MessageOrder) override {
        return 0;
    }
    std::vector<model::MessageRecord> messages(const model::CallId&) const override { return {}; }
};

/// Writes down what is asked of it: "mute sales m-1 1".
class Written final : public model::ChannelControl {
public:
    std::vector<model::ChannelInfo> all;
    std::vector<std::string> asked;
    std::optional<base::Error> error;

    std::vector<model::ChannelInfo> channels() const override { return all; }
    std::optional<model::ChannelInfo> find(std::string_view name) const override {
        for (const auto& channel : all) {
            if (channel.name == name) return channel;
        }
        return std::nullopt;
    }
    base::Result<void> create(const model::ChannelOrder& order) override {
        if (error) return tl::unexpected(*error);
        model::ChannelInfo made;
        made.name = order.name;
        made.policy = order.policy;
        made.ai = order.ai;
        made.is_permanent = true;
        made.created_ns = kNoon;
        all.push_back(made);
        return {};
    }
    base::Result<void> close(std::string_view name) override {
        return note("close " + std::string(name));
    }
    base::Result<model::MemberId> join(const model::ChannelJoin&,
                                       model::ChannelListener&) override {
        return base::fail(base::ErrorCode::Internal, "not here");
    }
    void leave(const model::MemberId&) override {}
    base::Result<void> set_away(const model::MemberId&, bool) override { return {}; }
    base::Result<void> mute_self(const model::MemberId&, bool) override { return {}; }
    base::Result<void> mute(std::string_view c, const model::MemberId& m, bool on) override {
        return note("mute " + std::string(c) + " " + m + (on ? " on" : " off"));
    }
    base::Result<void> set_gain(std::string_view c, const model::MemberId& m, double db) override {
        return note("gain " + std::string(c) + " " + m + " " + base::short_number(db));
    }
    base::Result<void> remove(std::string_view c, const model::MemberId& m) override {
        return note("remove " + std::string(c) + " " + m);
    }
    base::Result<void> move(std::string_view c,
                            const model::MemberId& m,
                            std::string_view to) override {
        return note("move " + std::string(c) + " " + m + " " + std::string(to));
    }
    base::Result<void> set_role(std::string_view c,
                                const model::MemberId& m,
                                model::MemberRole role) override {
        return note("role " + std::string(c) + " " + m + " " + std::string(model::name_of(role)));
    }

private:
    base::Result<void> note(std::string what) {
        if (error) return tl::unexpected(*error);
        asked.push_back(std::move(what));
        return {};
    }
};

class ChannelRoutes : public ::testing::Test {
protected:
    void SetUp() override {
        model::ChannelInfo sales;
        sales.name = "sales";
        sales.is_permanent = true;
        sales.created_ns = kNoon;
        sales.worker = 0;
        sales.mixed_frames = 50;
        model::MemberInfo anna;
        anna.id = "m-000000000001";
        anna.kind = model::MemberKind::Phone;
        anna.state = model::MemberState::Connected;
        anna.name = "Anna";
        anna.call.text = kId;
        anna.joined_ns = kNoon;
        anna.sound.level_dbov = -28.5;
        anna.sound.is_speaking = true;
        sales.members.push_back(anna);
        channels_.all.push_back(sales);
        loop_.run([&] {
            api_ = std::make_unique<Api>(
                ApiParts{.calls = calls_,
                         .metrics = metrics_,
                         .control = &control_,
                         .channels = &channels_,
                         .mint_join =
                             [this](const access::JoinGrant& grant) {
                                 minted_.push_back(grant);
                                 return base::Result<std::string>("ohj1.x.y");
                             },
                         .workers = [] { return std::vector<model::WorkerStats>{}; },
                         .draining = [] { return false; },
                         .listeners = [] { return std::vector<std::string>{}; },
                         .late_mix_frames = [] { return 7; }});
            server_ = *http::Server::listen({});
            server_->set_gate([this](http::Request& request, std::string_view scope) {
                gate_.emplace_back(scope);
                request.user = "boss";
                request.scopes = scopes_;
                return std::optional<http::Response>();
            });
            api_->install(*server_);
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] { server_.reset(); });
    }
    RawAnswer get(const std::string& target) { return ask(address_, "GET", target); }
    RawAnswer post(const std::string& target, const std::string& body = {}) {
        return ask(address_,
                   "POST",
                   target,
                   body.empty() ? "" : "Content-Type: application/json\r\n",
                   body);
    }

    OneCall calls_;
    Supervisor control_;
    Written channels_;
    Metrics metrics_{"test"};
    std::vector<access::JoinGrant> minted_;
    std::vector<std::string> gate_, scopes_{"read", "operate", "listen", "barge"};
    testing::LoopThread loop_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
};

constexpr const char* kSales =
    R"({"name":"sales","policy":"everybody","permanent":true,"ai":null,)"
    R"("created":"2026-11-20T12:00:00.000Z","worker":0,"mixed_frames":50,"late_frames":0,)"
    R"("members":[{"id":"m-000000000001","kind":"phone","role":"speaker","state":"connected",)"
    R"("user":"","name":"Anna","call":"c-000000000001","muted":false,"muted_by_operator":false,)"
    R"("gain_db":0,"level_dbov":-28.5,"peak_dbov":-127,"speaking":true,"clipped_samples":0,)"
    R"("heard_frames":0,"missing_frames":0,"dropped_frames":0,"unheard_frames":0,)"
    R"("joined":"2026-11-20T12:00:00.000Z"}]})";

TEST_F(ChannelRoutes, Shapes) {
    EXPECT_EQ(get("/api/v1/channels").body, std::string(R"({"items":[)") + kSales + "]}\n");
    EXPECT_EQ(get("/api/v1/channels/sales").body, std::string(kSales) + "\n");
    EXPECT_THAT(get("/api/v1/channels/sales/members").body, HasSubstr(R"({"items":[{"id":"m-0)"));
    EXPECT_EQ(get("/api/v1/channels/none").status, 404);
    EXPECT_EQ(get("/api/v1/channels/none/members").status, 404);
    EXPECT_THAT(gate_, ::testing::Each("read"));
    EXPECT_THAT(get("/health").body,
                HasSubstr(R"("channels":{"status":"ok","detail":"1 channel, 1 member",)"
                          R"("channels":1,"members":1})"));
    const std::string metrics = get("/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("offhook_channels 1"));
    EXPECT_THAT(metrics, HasSubstr("offhook_channel_members{kind=\"phone\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("offhook_channel_mix_late_frames_total 7"));
}

TEST_F(ChannelRoutes, MakesAndCloses) {
    const RawAnswer made = post("/api/v1/channels", R"({"name":"b","policy":"supervised"})");
    EXPECT_EQ(made.status, 201);
    EXPECT_THAT(made.body, HasSubstr(R"({"name":"b","policy":"supervised",)"));
    EXPECT_EQ(post("/api/v1/channels", R"({"policy":"supervised"})").status, 400);
    EXPECT_EQ(post("/api/v1/channels", R"({"name":"b","policy":"call"})").status, 400);
    EXPECT_EQ(post("/api/v1/channels", R"({"name":"b","color":"red"})").status, 400);
    channels_.error = base::Error{base::ErrorCode::Conflict, "there is one", {}};
    EXPECT_EQ(post("/api/v1/channels", R"({"name":"b"})").status, 409);
    channels_.error.reset();
    EXPECT_EQ(ask(address_, "DELETE", "/api/v1/channels/sales").status, 204);
    EXPECT_THAT(channels_.asked, ElementsAre("close sales"));
}

TEST_F(ChannelRoutes, WhatIsDoneWithMembers) {
    const std::string member = "/api/v1/channels/sales/members/m-1/";
    EXPECT_EQ(post(member + "mute", R"({"muted":true})").status, 200);
    EXPECT_EQ(post(member + "gain", R"({"gain_db":-6.5})").status, 200);
    EXPECT_EQ(post(member + "role", R"({"role":"take-over"})").status, 200);
    EXPECT_EQ(gate_.back(), "barge");
    EXPECT_EQ(post(member + "move", R"({"to":"sales"})").status, 200);
    EXPECT_EQ(post(member + "remove").body, std::string(kSales) + "\n");
    EXPECT_EQ(gate_.back(), "operate");
    EXPECT_THAT(channels_.asked,
                ElementsAre("mute sales m-1 on",
                            "gain sales m-1 -6.5",
                            "role sales m-1 take-over",
                            "move sales m-1 sales",
                            "remove sales m-1"));
    EXPECT_EQ(post(member + "mute", R"({"muted":"yes"})").status, 400);
    EXPECT_EQ(post(member + "mute", "{}").status, 400);
    EXPECT_EQ(post(member + "gain", R"({"gain_db":"loud"})").status, 400);
    EXPECT_EQ(post(member + "role", R"({"role":"caller"})").status, 400);
    EXPECT_EQ(post(member + "move", "{}").status, 400);
    EXPECT_EQ(post(member + "dance").status, 404);
    channels_.error = base::Error{base::ErrorCode::NotFound, "there is no member m-1", {}};
    EXPECT_EQ(post(member + "remove").status, 404);
}

TEST_F(ChannelRoutes, Tokens) {
    const std::string tokens = "/api/v1/channels/sales/tokens";
    const RawAnswer given = post(tokens, R"({"user":"anna","name":"Anna","role":"listen"})");
    EXPECT_EQ(given.status, 201);
    EXPECT_THAT(given.body,
                HasSubstr(R"({"channel":"sales","role":"listen","token":"ohj1.x.y","expires":"2)"));
    EXPECT_THAT(given.body, HasSubstr(R"("ws":"/api/v1/channels/ws"})"));
    ASSERT_EQ(minted_.size(), 1U);
    EXPECT_EQ(minted_[0].user, "anna");
    EXPECT_EQ(minted_[0].role, model::MemberRole::Listen);
    EXPECT_EQ(post(tokens, "{}").status, 400);
    EXPECT_EQ(post(tokens, R"({"user":"a","role":"king"})").status, 400);
    EXPECT_EQ(post(tokens, R"({"user":"a","expires_s":301})").status, 400);
    EXPECT_EQ(post("/api/v1/channels/none/tokens", R"({"user":"a"})").status, 404);
    channels_.all[0].name = "call-c-1";
    EXPECT_EQ(post("/api/v1/channels/call-c-1/tokens", R"({"user":"a"})").status, 409)
        << "what a call's supervisors may is another matter";
}

TEST_F(ChannelRoutes, Supervise) {
    const std::string call = std::string("/api/v1/calls/") + kId + "/supervise";
    const RawAnswer given = post(call, R"({"mode":"whisper"})");
    EXPECT_EQ(given.status, 201);
    EXPECT_THAT(given.body,
                HasSubstr(R"({"channel":"call-c-000000000001","role":"whisper","token":")"));
    EXPECT_EQ(gate_.back(), "listen");
    EXPECT_EQ(minted_[0].user, "boss") << "who asks";
    EXPECT_EQ(post(call, R"({"mode":"speaker"})").status, 400);
    EXPECT_EQ(post(call, "{}").status, 400);
    EXPECT_EQ(post("/api/v1/calls/c-000000000002/supervise", R"({"mode":"listen"})").status, 404);
    scopes_ = {"listen"};
    EXPECT_EQ(post(call, R"({"mode":"listen"})").status, 201);
    EXPECT_EQ(post(call, R"({"mode":"barge"})").status, 403);
    control_.error = base::Error{base::ErrorCode::Conflict, "the call is not answered", {}};
    EXPECT_EQ(post(call, R"({"mode":"listen"})").status, 409);
}

}  // namespace
}  // namespace offhook::api
