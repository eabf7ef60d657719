// The routes of the diagnosis: shape, and whose facts they look at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "api/api.h"
#include "base/monotonic.h"
#include "http/loop_thread.h"
#include "http/raw_client.h"
#include "json_shape.h"

namespace offhook::api {
namespace {

using testing::ask;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::RawAnswer;
using testing::shape;
using ::testing::StartsWith;

constexpr const char* kCall = "c-0123456789ab";

class OneCall final : public model::CallDirectory {
public:
    std::vector<model::CallInfo> calls(bool /*ended*/) const override { return {call}; }
    std::optional<model::CallInfo> find(const model::CallId& id) const override {
        return id == call.id ? std::optional(call) : std::nullopt;
    }
    base::Result<void> hangup(const model::CallId&, const std::string&) override { return {}; }
    base::Result<void> send_dtmf(const model::CallId&, const std::string&) override { return {}; }
    Totals totals() const override { return {}; }

    model::CallInfo call;
};

class OneChannel final : public model::ChannelControl {
public:
    using Id = model::MemberId;
    using Name = std::string_view;
    std::vector<model::ChannelInfo> channels() const override { return {channel}; }
    std::optional<model::ChannelInfo> find(Name name) const override {
        return name == channel.name ? std::optional(channel) : std::nullopt;
    }
    base::Result<void> create(const model::ChannelOrder&) override { return {}; }
    base::Result<void> close(Name) override { return {}; }
    base::Result<Id> join(const model::ChannelJoin&, model::ChannelListener&) override {
        return Id();
    }
    void leave(const Id&) override {}
    base::Result<void> set_away(const Id&, bool) override { return {}; }
    base::Result<void> mute_self(const Id&, bool) override { return {}; }
    base::Result<void> mute(Name, const Id&, bool) override { return {}; }
    base::Result<void> set_gain(Name, const Id&, double) override { return {}; }
    base::Result<void> remove(Name, const Id&) override { return {}; }
    base::Result<void> move(Name, const Id&, Name) override { return {}; }
    base::Result<void> set_role(Name, const Id&, model::MemberRole) override { return {}; }

    model::ChannelInfo channel;
};

class DiagnosisRoutes : public ::testing::Test {
protected:
    void SetUp() override {
        model::CallInfo& call = calls_.call;
        call.id.text = kCall;
        call.state = model::CallState::Answered;
        call.created_ns = call.answered_ns = base::realtime_ns() - 60 * base::kNsPerS;
        call.stats.sent_packets = call.stats.received_packets = 3'000;
        call.stats.received_level_dbov = -30;
        model::MemberInfo member;
        member.id = "m-0123456789ab";
        member.state = model::MemberState::Connected;
        member.call = call.id;
        channels_.channel.name = "ward";
        channels_.channel.members = {member};
        loop_.run([&] {
            api_ = std::make_unique<Api>(
                ApiParts{.calls = calls_,
                         .metrics = metrics_,
                         .channels = &channels_,
                         .workers = [] { return std::vector<model::WorkerStats>(); },
                         .draining = [] { return false; },
                         .listeners = [] { return std::vector<std::string>(); }});
            server_ = *http::Server::listen({});
            api_->install(*server_);
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            api_.reset();
        });
    }
    RawAnswer get(const std::string& target) { return ask(address_, "GET", target); }

    testing::LoopThread loop_;
    OneCall calls_;
    OneChannel channels_;
    Metrics metrics_{"test"};
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
};

const std::string kOfCall = std::string("/api/v1/calls/") + kCall + "/diagnosis";
const std::string kOfMember = "/api/v1/channels/ward/members/m-0123456789ab/diagnosis";

TEST_F(DiagnosisRoutes, ACallThatIsWell) {
    const RawAnswer answer = get(kOfCall);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"healthy\":true,\"issues\":[],\"recommendations\":[]}\n");
}

TEST_F(DiagnosisRoutes, ACallThatIsNot) {
    loop_.run([&] {
        calls_.call.stats.jitter_ms = 55;
        calls_.call.stats.round_trip_ms = 500;
    });
    const RawAnswer answer = get(kOfCall);
    EXPECT_EQ(answer.status, 200);
    const std::string answered = shape(answer.body);
    EXPECT_THAT(answered,
                StartsWith("{healthy:boolean, issues:[{code:text, severity:text, cause:text, "
                           "evidence:text, fix:text, symptom:text, hop:text, figures:{"));
    EXPECT_THAT(answered, HasSubstr("}, doc:text}"));
    EXPECT_THAT(answered, EndsWith("}], recommendations:[text]}"));
    EXPECT_THAT(answer.body, HasSubstr("\"healthy\":false"));
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"jitter\""));
    EXPECT_THAT(answer.body, HasSubstr("55 ms on the way here"));
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"round-trip-high\""));
}

TEST_F(DiagnosisRoutes, AMemberIsItsLegAndItsChannel) {
    EXPECT_THAT(get(kOfMember).body, HasSubstr("\"healthy\":true"));  // alone is no fault
    EXPECT_THAT(get(kOfMember).body, HasSubstr("\"code\":\"alone\""));
    loop_.run([&] {
        calls_.call.stats.received_packets = 0;
        channels_.channel.members[0].is_muted = true;
        channels_.channel.members[0].is_muted_by_operator = true;
    });
    const std::string body = get(kOfMember).body;
    EXPECT_THAT(body, HasSubstr("\"code\":\"nothing-received\""));
    EXPECT_THAT(body, HasSubstr("\"code\":\"muted-by-operator\""));
}

TEST_F(DiagnosisRoutes, WhomNobodyKnows) {
    for (const char* target : {"/api/v1/calls/c-ffffffffffff/diagnosis",
                               "/api/v1/calls/x/diagnosis",
                               "/api/v1/channels/nobody/members/m-0123456789ab/diagnosis",
                               "/api/v1/channels/ward/members/m-ffffffffffff/diagnosis"}) {
        const RawAnswer answer = get(target);
        EXPECT_EQ(answer.status, 404) << target;
        EXPECT_THAT(answer.body, HasSubstr("not-found")) << target;
    }
}

}  // namespace
}  // namespace offhook::api
