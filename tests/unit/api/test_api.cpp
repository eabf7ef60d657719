#include "api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <json-glib/json-glib.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/monotonic.h"
#include "glib/ref.h"
#include "http/loop_thread.h"
#include "http/raw_client.h"

namespace offhook::api {
namespace {

using model::CallState;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Status = model::HealthCheck::Status;
using testing::ask;
using testing::RawAnswer;

constexpr std::int64_t kNoon = 1'795'176'000'000'000'000;
constexpr const char* kJson = "Content-Type: application/json\r\n";

class FakeDirectory final : public model::CallDirectory {
public:
    std::vector<model::CallInfo> all;
    Totals figures;
    std::vector<std::string> done;
    std::optional<base::ErrorCode> dtmf_error;

    std::vector<model::CallInfo> calls(bool ended) const override {
        std::vector<model::CallInfo> out = all;
        if (!ended) std::erase_if(out, [](const auto& c) { return c.state == CallState::Ended; });
        return out;
    }
    std::optional<model::CallInfo> find(const model::CallId& id) const override {
        for (const auto& call : all) {
            if (call.id == id) return call;
        }
        return std::nullopt;
    }
    base::Result<void> hangup(const model::CallId& id, const std::string& who) override {
        for (auto& call : all) {
            if (call.id != id) continue;
            if (call.state >= CallState::Ending)
                return base::fail(base::ErrorCode::Conflict, "ending already");
            call.state = CallState::Ending;
            done.push_back("hangup " + id.text + " " + who);
            return {};
        }
        return base::fail(base::ErrorCode::NotFound, "no such call");
    }
    base::Result<void> send_dtmf(const model::CallId& id, const std::string& digits) override {
        if (dtmf_error) return base::fail(*dtmf_error, "no telephone-event was agreed");
        done.push_back("dtmf " + id.text + " " + digits);
        return {};
    }
    Totals totals() const override { return figures; }
};

class FakeAccounts final : public model::AccountDirectory {
public:
    std::vector<model::AccountInfo> all;
    std::vector<model::AccountInfo> accounts() const override { return all; }
};

class ApiTest : public ::testing::Test {
protected:
    void SetUp() override { start(); }
    void TearDown() override {
        loop_.run([&] { server_.reset(); });
    }
    void start() {
        loop_.run([&] {
            server_.reset();
            api_ = std::make_unique<Api>(
                ApiParts{.calls = directory_,
                         .metrics = metrics_,
                         .accounts = &accounts_,
                         .workers = [this] { return workers_; },
                         .draining = [this] { return draining_; },
                         .listeners =
                             [] {
                                 return std::vector<std::string>{"http://127.0.0.1:5000",
                                                                 "udp:127.0.0.1:5060"};
                             },
                         .calls_health = [this] { return calls_; },
                         .media_health = [this] { return media_; },
                         .ai_health =
                             [] {
                                 return model::HealthCheck{Status::Ok, "1 of 1 ready", {}};
                             },
                         .liveness = [this] { return live_; },
                         .signalling = signalling_,
                         .failed_ai_sessions = failed_ai_sessions_});
            server_ = *http::Server::listen({});
            api_->install(*server_);
            address_ = server_->address();
        });
    }
    RawAnswer get(const std::string& target) { return ask(address_, "GET", target); }
    RawAnswer post(const std::string& target, const std::string& body = {}) {
        return ask(address_, "POST", target, body.empty() ? "" : kJson, body);
    }
    static model::CallInfo call(int n, CallState state = CallState::Answered) {
        model::CallInfo c;
        c.id.text = "c-00000000000" + std::to_string(n);
        c.state = state;
        c.from = "sip:anna@127.0.0.1";
        c.created_ns = kNoon + n * base::kNsPerS;
        return c;
    }
    template <class F>
    void change(F fn) {
        loop_.run([&] { fn(); });
    }

    FakeDirectory directory_;
    FakeAccounts accounts_;
    Metrics metrics_{"test"};
    std::vector<model::WorkerStats> workers_;
    std::function<model::SignallingStats()> signalling_;
    std::function<std::uint64_t()> failed_ai_sessions_;
    bool draining_ = false;
    model::HealthCheck calls_{Status::Ok, "no calls", {}},
        media_{Status::Ok, "tick p99 0.2 ms", {}}, live_{Status::Ok, "", {}};
    testing::LoopThread loop_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
};

// The whole text: the page promises names, types and order.
TEST_F(ApiTest, HealthIsTheAgreedShape) {
    change([&] {
        directory_.figures = {.started = 17, .answered = 17, .active = 2, .alive = 2, .ended = {}};
        calls_ = {Status::Ok,
                  "2 active, 2 alive",
                  {{"active", std::int64_t{99}}, {"held", std::int64_t{1}}}};
        workers_ = {{.index = 0, .tick_p99_ms = 0.1}, {.index = 1, .tick_p99_ms = 0.2}};
    });
    const RawAnswer a = get("/health");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.headers.at("content-type"), "application/json");
    EXPECT_EQ(
        a.body,
        R"({"status":"ok","version":")" OFFHOOK_VERSION R"(","uptime_s":0,"draining":false,)"
        R"("summary":"2 calls alive, nothing wrong","checks":{)"
        R"("accounts":{"status":"off","detail":"no account is configured; calls come in directly"},)"
        R"("calls":{"status":"ok","detail":"2 active, 2 alive","active":2,"alive":2,"total":17,"held":1},)"
        R"("media":{"status":"ok","detail":"tick p99 0.2 ms","workers":2,"tick_p99_ms":0.2},)"
        R"("ai":{"status":"ok","detail":"1 of 1 ready"},)"
        R"("websockets":{"status":"off","detail":"nobody can join by WebSocket","live":0},)"
        R"("channels":{"status":"off","detail":"there are no channels here"},)"
        R"("storage":{"status":"off","detail":"nothing is stored"}},)"
        R"("listeners":["http://127.0.0.1:5000","udp:127.0.0.1:5060"]})"
        "\n");
}

TEST_F(ApiTest, HealthFollowsItsChecks) {
    change([&] { media_ = {Status::Degraded, "no SCHED_FIFO", {}}; });
    RawAnswer a = get("/health");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(a.body, StartsWith("{\"status\":\"degraded\""));
    EXPECT_THAT(a.body, HasSubstr("\"summary\":\"no calls; media degraded: no SCHED_FIFO\""));
    EXPECT_EQ(get("/readyz").status, 200);
    change([&] { media_ = {Status::Failed, "worker 1 is stuck", {}}; });
    a = get("/health");
    EXPECT_EQ(a.status, 503);
    EXPECT_THAT(a.body, StartsWith("{\"status\":\"failed\""));
    a = get("/readyz");
    EXPECT_EQ(a.status, 503);
    EXPECT_EQ(a.body,
              "{\"status\":\"failed\",\"draining\":false,\"failing\":[{\"check\":\"media\","
              "\"detail\":\"worker 1 is "
              "stuck\"}]}\n");
    change([&] {
        media_ = {Status::Ok, "", {}};
        directory_.figures.active = 3;
        directory_.figures.alive = 1;
    });
    EXPECT_THAT(get("/health").body, HasSubstr("1 of 3 calls alive"));
}

TEST_F(ApiTest, DrainingIsNotReadyButHealthy) {
    change([&] {
        draining_ = true;
        directory_.figures.active = directory_.figures.alive = 1;
    });
    EXPECT_EQ(get("/readyz").body, "{\"status\":\"failed\",\"draining\":true,\"failing\":[]}\n");
    EXPECT_EQ(get("/readyz").status, 503);
    const RawAnswer a = get("/health");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(
        a.body,
        HasSubstr("\"draining\":true,\"summary\":\"draining, 1 call left, nothing wrong\""));
}

TEST_F(ApiTest, LivezFollowsTheMediaThreadsOnly) {
    change([&] { media_.status = Status::Failed; });
    EXPECT_EQ(get("/livez").status, 200);
    change([&] { live_ = {Status::Failed, "worker 0 has not ticked for 5 s", {}}; });
    const RawAnswer a = get("/livez");
    EXPECT_EQ(a.status, 503);
    EXPECT_THAT(a.body, HasSubstr("worker 0"));
}

TEST_F(ApiTest, MetricsHaveCallsAndRequests) {
    change([&] { directory_.all = {call(1)}; });
    (void)get("/nothing");
    (void)get("/api/v1/calls/c-000000000001");
    const RawAnswer a = get("/metrics");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(a.headers.at("content-type"), StartsWith("text/plain; version=0.0.4"));
    EXPECT_THAT(a.body, HasSubstr("offhook_calls_active 1\n"));
    EXPECT_THAT(a.body, HasSubstr("offhook_http_requests_total{code=\"404\",route=\"other\"} 1\n"));
    EXPECT_THAT(
        a.body,
        HasSubstr("offhook_http_requests_total{code=\"200\",route=\"/api/v1/calls/{id}\"} 1\n"));
}

TEST_F(ApiTest, MetricsHaveSignallingAndFailedAis) {
    RawAnswer a = get("/metrics");
    EXPECT_THAT(a.body, HasSubstr("offhook_sip_malformed_total 0\n"));
    EXPECT_THAT(a.body, HasSubstr("offhook_ai_failed_sessions_total 0\n"));
    signalling_ = [] { return model::SignallingStats{.malformed = 3, .dialogs = 2}; };
    failed_ai_sessions_ = [] { return 4; };
    start();
    a = get("/metrics");
    EXPECT_THAT(a.body, HasSubstr("offhook_sip_malformed_total 3\n"));
    EXPECT_THAT(a.body, HasSubstr("offhook_sip_dialogs 2\n"));
    EXPECT_THAT(a.body, HasSubstr("offhook_ai_failed_sessions_total 4\n"));
}

TEST_F(ApiTest, OneCall) {
    model::CallInfo c = call(1, CallState::Ended);
    c.to = "a\"b";
    c.answered_ns = kNoon + 2 * base::kNsPerS;
    c.ended_ns = kNoon + 5 * base::kNsPerS;
    c.answer_ms = 1.5;
    c.worker = 1;
    c.is_oneway = true;
    c.end = model::ended(model::EndReason::CallerHangup, "BYE after 3 s");
    c.stats.sent_packets = 150;
    c.stats.last_source = model::FrameSource::Ai;
    change([&] { directory_.all = {c}; });
    const RawAnswer a = get("/api/v1/calls/c-000000000001");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(a.body,
                StartsWith("{\"id\":\"c-000000000001\",\"state\":\"ended\",\"sip_call_id\":\"\","
                           "\"from\":\"sip:anna@127.0.0.1\",\"to\":\"a\\\"b\""));
    EXPECT_THAT(a.body,
                HasSubstr("\"created\":\"2026-11-20T12:00:01.000Z\",\"answered\":\"2026-11-20T12:"
                          "00:02.000Z\",\"ended\":\"2026-11-20T12:00:05.000Z\","
                          "\"answer_ms\":1.5,\"duration_ms\":3000,\"leg\":\"phone\",\"web\":null,"
                          "\"worker\":1,\"is_oneway\":true,"
                          "\"end\":{\"class\":\"success\",\"reason\":\"caller-hangup\",\"detail\":"
                          "\"BYE after 3 s\",\"sip_status\":null,\"peer_reasons\":[]},"));
    EXPECT_THAT(
        a.body,
        HasSubstr(
            "\"transfer\":null,\"ringcentral_commands\":[],\"stats\":{\"sent_packets\":150,"));
    EXPECT_THAT(a.body, HasSubstr("\"since_last_sent_ms\":null"));
    EXPECT_THAT(a.body, HasSubstr("\"last_source\":\"ai\""));
}

TEST_F(ApiTest, TheAiOfACall) {
    model::CallInfo c = call(1);
    c.ai = "desk";
    c.bot = {.protocol = "plain",
             .where = "127.0.0.1:8080",
             .state = model::AiState::Live,
             .since_ns = kNoon,
             .reason = "the bot hears the caller"};
    change([&] { directory_.all = {c}; });
    EXPECT_THAT(
        get("/api/v1/calls/c-000000000001").body,
        HasSubstr(
            R"("ai":{"name":"desk","protocol":"plain","state":"live","since":"2026-11-20T12:00:00.000Z",)"
            R"("reason":"the bot hears the caller","at":"127.0.0.1:8080","media_path":null,)"
            R"("attempts":0,"connections":0,"losses":0,"last_loss":null,"lost_ms":null,)"
            R"("last_gap_ms":null,"sent_frames":0,"unsent_frames":0,"replayed_ms":0,)"
            R"("sound":{"given_ms":0,"played_ms":0,"cleared_ms":0,"overflowed_ms":0,"queued_ms":0},)"
            R"("marks":0,"barge_ins":0,"taken_back_barge_ins":0,"verbs":0,"refused_verbs":0,)"
            R"("bad_messages":0,"latency":{"caller_to_socket_ms":null,"socket_to_wire_ms":null,)"
            R"("round_trip_ms":null,"turns":0,"turn":null},"echo":null},"pipeline")"));
    c.bot.figures.turn_ms = 412;
    c.bot.figures.turn_bot_ms = 400;
    c.bot.figures.turns = 1;
    c.bot.figures.last_loss = "reset";
    c.bot.figures.echo_delay_ms = 180;
    c.bot.figures.echo_return_loss_db = 32;
    change([&] { directory_.all = {c}; });
    const std::string body = get("/api/v1/calls/c-000000000001").body;
    EXPECT_THAT(body, HasSubstr(R"("last_loss":"reset")"));
    EXPECT_THAT(body,
                HasSubstr(R"("turns":1,"turn":{"total_ms":412,"network_ms":null,"bot_ms":400,)"
                          R"("playout_ms":null}},"echo":{"delay_ms":180,"return_loss_db":32}})"));
}

TEST_F(ApiTest, WhatACallSaysOfItself) {
    model::CallInfo c = call(1, CallState::Ended);
    c.direction = model::CallDirection::Outbound;
    c.account = "office";
    c.transport = "tls";
    c.facts = {.asserted_identity = "<sip:1@pbx>",
               .diversion = {"<sip:2@pbx>;reason=no-answer"},
               .history = {"<sip:3@pbx>;index=1", "<sip:4@pbx>;index=1.1"},
               .replaces = "c-000000000002",
               .headers = {{"X-Queue", "a\"b"}}};
    c.facts.answer_after = std::chrono::milliseconds(250);
    c.facts.ringcentral = {.party_id = "p-1",
                           .call_attributes = {"reject", "send-vm"},
                           .caller_name = "A",
                           .has_control = true};
    c.ringcentral_commands = {
        {1, "to-voicemail", model::RingCentralCommand::State::Failed, "why", 1'000'000'000}};
    c.transfer =
        model::TransferInfo{.is_by_peer = true, .target = "sip:5@pbx", .call = {}, .status = 180};
    c.end = model::ended_by_status(486, "Busy Here");
    c.end->peer_reasons = {{"Q.850", 17, "user busy"}};
    change([&] { directory_.all = {c}; });
    const std::string body = get("/api/v1/calls/c-000000000001").body;
    EXPECT_THAT(body, HasSubstr(R"("direction":"outbound","account":"office","transport":"tls")"));
    EXPECT_THAT(body,
                HasSubstr(R"("facts":{"asserted_identity":"<sip:1@pbx>","diversion":)"
                          R"(["<sip:2@pbx>;reason=no-answer"],"history":["<sip:3@pbx>;index=1",)"
                          R"("<sip:4@pbx>;index=1.1"],"replaces":"c-000000000002",)"
                          R"("headers":[{"name":"X-Queue","value":"a\"b"}],"answer_after_ms":250,)"
                          R"("ringcentral":{"party_id":"p-1","session_id":"",)"
                          R"("call_attributes":["reject","send-vm"],"queue_name":"",)"
                          R"("caller_id_name":"","caller":"","caller_name":"A","called":"",)"
                          R"("called_name":"","service_level":"","service_level_ext":"",)"
                          R"("recording_url":"","has_control":true}})"));
    EXPECT_THAT(body,
                HasSubstr(R"("ringcentral_commands":[{"number":1,"command":"to-voicemail",)"
                          R"("state":"failed","detail":"why","at":"1970-01-01T00:00:01.000Z"}])"));
    EXPECT_THAT(
        body,
        HasSubstr(R"("transfer":{"by":"peer","target":"sip:5@pbx","call":null,"status":180})"));
    EXPECT_THAT(body, HasSubstr(R"("class":"callee","reason":"busy")"));
    EXPECT_THAT(body,
                HasSubstr(R"("sip_status":486,"peer_reasons":[{"protocol":"Q.850","cause":17,)"
                          R"("text":"user busy"}])"));
}

TEST_F(ApiTest, AWebLegSaysHowItFares) {
    change([&] {
        model::CallInfo web = call(1, CallState::Answered);
        web.leg = model::LegKind::Web;
        directory_.all = {web};
    });
    EXPECT_THAT(get("/api/v1/calls/c-000000000001").body,
                HasSubstr(R"("leg":"web","web":{"is_connected":false,"is_lost":false,)"
                          R"("connect_ms":null,"restarts":0,"losses":0})"));
    change([&] {
        directory_.all[0].web = {
            .is_connected = true, .is_lost = true, .connect_ms = 48.5, .restarts = 2, .losses = 3};
    });
    EXPECT_THAT(get("/api/v1/calls/c-000000000001").body,
                HasSubstr(R"("web":{"is_connected":true,"is_lost":true,)"
                          R"("connect_ms":48.5,"restarts":2,"losses":3})"));
}

TEST_F(ApiTest, ACallThatHasJustBegunHasNulls) {
    change([&] { directory_.all = {call(1, CallState::Incoming)}; });
    EXPECT_THAT(
        get("/api/v1/calls/c-000000000001").body,
        HasSubstr(
            "\"answered\":null,\"ended\":null,\"answer_ms\":null,\"duration_ms\":0,"
            "\"leg\":\"phone\",\"web\":null,\"worker\":null,\"is_oneway\":false,\"end\":null"));
}

TEST_F(ApiTest, StatsAlone) {
    change([&] { directory_.all = {call(1)}; });
    const RawAnswer a = get("/api/v1/calls/c-000000000001/stats");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(a.body,
                StartsWith("{\"id\":\"c-000000000001\",\"state\":\"answered\",\"at\":\"20"));
    EXPECT_THAT(a.body, HasSubstr("\"stats\":{\"sent_packets\":0"));
}

TEST_F(ApiTest, ListsByState) {
    change([&] { directory_.all = {call(2), call(1, CallState::Ended), call(3)}; });
    const auto ids = [&](const std::string& target) {
        std::string out;
        const std::string body = get(target).body;
        for (std::size_t at = 0;
             (at = body.find("\"id\":\"c-00000000000", at)) != std::string::npos;
             at += 20) {
            out += body[at + 19];
        }
        return out;
    };
    EXPECT_EQ(ids("/api/v1/calls"), "23");
    EXPECT_EQ(ids("/api/v1/calls?state=live"), "23");
    EXPECT_EQ(ids("/api/v1/calls?state=ended"), "1");
    EXPECT_EQ(ids("/api/v1/calls?state=all"), "123");
    change([&] { directory_.all.clear(); });
    EXPECT_EQ(get("/api/v1/calls").body, "{\"items\":[],\"next\":null}\n");
}

TEST_F(ApiTest, PagesWithACursorThatSurvivesTheEndOfItsCall) {
    change([&] { directory_.all = {call(1), call(2), call(3)}; });
    const std::string first = get("/api/v1/calls?limit=2").body;
    const std::size_t at = first.find("\"next\":\"");
    ASSERT_NE(at, std::string::npos) << first;
    const std::string cursor = first.substr(at + 8, first.find('"', at + 8) - at - 8);
    change([&] { directory_.all.erase(directory_.all.begin() + 1); });
    const std::string second = get("/api/v1/calls?limit=2&cursor=" + cursor).body;
    EXPECT_THAT(second, HasSubstr("c-000000000003"));
    EXPECT_THAT(second, Not(HasSubstr("c-000000000001")));
    EXPECT_THAT(second, HasSubstr("\"next\":null"));
}

TEST_F(ApiTest, BadQueriesAre400) {
    for (const char* query : {"limit=0",
                              "limit=501",
                              "limit=-1",
                              "limit=x",
                              "limit=",
                              "limit=99999999999",
                              "state=dead",
                              "state=",
                              "cursor=x",
                              "cursor=",
                              "cursor=.",
                              "cursor=1"}) {
        const RawAnswer a = get(std::string("/api/v1/calls?") + query);
        EXPECT_EQ(a.status, 400) << query;
        EXPECT_THAT(a.body, HasSubstr("urn:offhook:problem:invalid-argument")) << query;
    }
}

TEST_F(ApiTest, IdsThatAreNoneAre404) {
    change([&] { directory_.all = {call(1)}; });
    for (const char* id : {"c-000000000002",
                           "c-00000000000",
                           "C-000000000001",
                           "c-00000000000g",
                           "..",
                           "%2e%2e",
                           "c-000000000001%00",
                           "x",
                           "%F0%9F%94%94",
                           "c-000000000001%0d%0aX:1"}) {
        const std::string base = std::string("/api/v1/calls/") + id;
        EXPECT_GE(get(base).status, 400) << id;
        EXPECT_GE(get(base + "/stats").status, 400) << id;
        EXPECT_GE(post(base + "/hangup").status, 400) << id;
        EXPECT_GE(post(base + "/dtmf", R"({"digits":"1"})").status, 400) << id;
    }
    EXPECT_EQ(get("/api/v1/calls/" + std::string(900, 'c')).status, 404);
    EXPECT_TRUE(directory_.done.empty());
}

TEST_F(ApiTest, HangupIsIdempotent) {
    change([&] { directory_.all = {call(1)}; });
    const RawAnswer first = post("/api/v1/calls/c-000000000001/hangup");
    EXPECT_EQ(first.status, 202);
    EXPECT_THAT(first.body, HasSubstr("\"state\":\"ending\""));
    const RawAnswer again = post("/api/v1/calls/c-000000000001/hangup", "{}");
    EXPECT_EQ(again.status, 202);
    ASSERT_EQ(directory_.done.size(), 1U);
    EXPECT_THAT(directory_.done[0], StartsWith("hangup c-000000000001 api 127.0.0.1:"));
}

TEST_F(ApiTest, Dtmf) {
    change([&] { directory_.all = {call(1)}; });
    const std::string target = "/api/v1/calls/c-000000000001/dtmf";
    EXPECT_EQ(post(target, R"({"digits":"123#*AD"})").status, 202);
    EXPECT_EQ(directory_.done, std::vector<std::string>{"dtmf c-000000000001 123#*AD"});
    for (const std::string& bad : {std::string(R"({})"),
                                   std::string(R"({"digits":""})"),
                                   std::string(R"({"digits":5})"),
                                   std::string(R"({"digits":"12x"})"),
                                   std::string(R"({"digits":"a"})"),
                                   R"({"digits":")" + std::string(65, '1') + R"("})",
                                   std::string("[]"),
                                   std::string("{\"digits\":\"1\""),
                                   std::string(20, '[') + std::string(20, ']')}) {
        EXPECT_EQ(post(target, bad).status, 400) << bad;
    }
    EXPECT_EQ(ask(address_, "POST", target).status, 400);
    EXPECT_EQ(directory_.done.size(), 1U);
    change([&] { directory_.dtmf_error = base::ErrorCode::Conflict; });
    const RawAnswer conflict = post(target, R"({"digits":"1"})");
    EXPECT_EQ(conflict.status, 409);
    EXPECT_THAT(conflict.body, HasSubstr("no telephone-event was agreed"));
}

TEST_F(ApiTest, MethodsAreFixed) {
    EXPECT_EQ(ask(address_, "POST", "/health").headers.at("allow"), "GET, HEAD");
    EXPECT_EQ(get("/api/v1/calls/c-000000000001/hangup").headers.at("allow"), "POST");
    EXPECT_EQ(ask(address_, "DELETE", "/api/v1/calls/c-000000000001").status, 405);
    EXPECT_EQ(ask(address_, "HEAD", "/health").status, 200);
    EXPECT_EQ(
        ask(address_, "GET", "/health", "X: " + std::string(65'536, 'x') + "\r\n").status == 200,
        false);
}

TEST_F(ApiTest, EveryJsonAnswerParses) {
    change([&] { directory_.all = {call(1), call(2, CallState::Ended)}; });
    for (const char* target : {"/health",
                               "/livez",
                               "/readyz",
                               "/api/v1/calls?state=all",
                               "/api/v1/calls/c-000000000001",
                               "/api/v1/calls/c-000000000001/stats",
                               "/nothing"}) {
        const RawAnswer a = get(target);
        const auto parser = glib::Ref<JsonParser>::adopt(json_parser_new());
        EXPECT_TRUE(json_parser_load_from_data(
            parser.get(), a.body.data(), static_cast<gssize>(a.body.size()), nullptr))
            << target << ": " << a.body;
    }
}

TEST_F(ApiTest, accounts_are_listed_with_what_is_known) {
    EXPECT_EQ(get("/api/v1/accounts").body, "{\"items\":[],\"next\":null}\n");
    model::AccountInfo desk;
    desk.name = "desk";
    desk.kind = "sip";
    desk.user = "200";
    desk.domain = "pbx.example.com";
    desk.state = model::AccountState::Registered;
    desk.flow = "tls:pbx.example.com:5061 (192.0.2.7)";
    desk.proxy = "primary";
    desk.registered_ns = kNoon;
    desk.expires_ns = base::realtime_ns() + 100 * base::kNsPerS;
    desk.last_status = 200;
    desk.last_answer = "registered for 300 s";
    desk.registrations = 3;
    model::AccountInfo night;
    night.name = "night";
    change([&] { accounts_.all = {desk, night}; });
    const std::string list = get("/api/v1/accounts").body;
    EXPECT_THAT(list, HasSubstr(R"("name":"desk","kind":"sip","user":"200")"));
    EXPECT_THAT(list, HasSubstr(R"("name":"night")"));
    const RawAnswer one = get("/api/v1/accounts/desk");
    EXPECT_EQ(one.status, 200);
    EXPECT_THAT(one.body, HasSubstr(R"("state":"registered","registered":true)"));
    EXPECT_THAT(one.body, HasSubstr(R"("registered_at":"2026-11-20T12:00:00.000Z")"));
    EXPECT_THAT(one.body, HasSubstr(R"("contact":null)"));
    EXPECT_THAT(one.body, HasSubstr(R"("next_try_at":null,"next_try_in_s":null)"));
    EXPECT_THAT(one.body, HasSubstr(R"("registrations":3)"));
    EXPECT_TRUE(one.body.find(R"("expires_in_s":99)") != std::string::npos ||
                one.body.find(R"("expires_in_s":98)") != std::string::npos)
        << one.body;
    EXPECT_EQ(get("/api/v1/accounts/nobody").status, 404);
    const std::string metrics = get("/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("offhook_account_registered{account=\"desk\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("offhook_account_registered{account=\"night\"} 0"));
    EXPECT_THAT(metrics, HasSubstr("offhook_account_registrations_total{account=\"desk\"} 3"));
}

}  // namespace
}  // namespace offhook::api
