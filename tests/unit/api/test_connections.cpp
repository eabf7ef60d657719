// The routes of connections, over a registry as it is: the shapes that the customer's page fixes, what
// is asked wrongly, and what an order does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "api/api.h"
#include "base/monotonic.h"
#include "connection/memory_leases.h"
#include "http/loop_thread.h"
#include "http/raw_client.h"
#include "json_shape.h"

namespace offhook::api {
namespace {

using connection::EndReason;
using connection::Facts;
using connection::Kind;
using testing::ask;
using ::testing::HasSubstr;
using testing::RawAnswer;
using testing::shape;

constexpr const char* kJson = "Content-Type: application/json\r\n";

/// Field by field as in the page, where what is not known is null.
constexpr const char* kKnown =
    "{id:text, kind:text, user:text, channel:text, address:text, forwarded_for:text, "
    "user_agent:text, protocol:text, state:text, opened:text, age_s:number, last_heard_s:number, "
    "last_pong_s:number, rtt_ms:number, received:{messages:number, bytes:number}, "
    "sent:{messages:number, bytes:number}, queue_bytes:number";
constexpr const char* kUnknown =
    "{id:text, kind:text, user:null, channel:null, address:null, forwarded_for:null, "
    "user_agent:null, protocol:null, state:text, opened:text, age_s:number, last_heard_s:number, "
    "last_pong_s:null, rtt_ms:null, received:{messages:number, bytes:number}, "
    "sent:{messages:number, bytes:number}, queue_bytes:number";

class NoCalls final : public model::CallDirectory {
public:
    std::vector<model::CallInfo> calls(bool /*ended*/) const override { return {}; }
    std::optional<model::CallInfo> find(const model::CallId&) const override { return {}; }
    base::Result<void> hangup(const model::CallId&, const std::string&) override { return {}; }
    base::Result<void> send_dtmf(const model::CallId&, const std::string&) override { return {}; }
    Totals totals() const override { return {}; }
};

class Peer final : public connection::Socket {
public:
    explicit Peer(connection::Registry& registry) : registry_(registry) {}
    [[nodiscard]] connection::Traffic traffic() const override { return traffic_; }
    void end(EndReason why, const std::string& detail, bool /*must_cut*/) override {
        registry_.ended(id_, why, detail);
    }

    connection::ConnectionId id_;
    connection::Traffic traffic_;

private:
    connection::Registry& registry_;
};

class ConnectionRoutes : public ::testing::Test {
protected:
    void SetUp() override {
        loop_.run([&] {
            GMainContext* context = g_main_context_get_thread_default();
            leases_ = std::make_unique<connection::MemoryLeases>(context);
            registry_ = std::make_unique<connection::Registry>(
                connection::Registry::Settings{}, context, *leases_);
            api_ = std::make_unique<Api>(
                ApiParts{.calls = calls_,
                         .metrics = metrics_,
                         .connections = registry_.get(),
                         .workers = [] { return std::vector<model::WorkerStats>(); },
                         .draining = [] { return false; },
                         .listeners = [] { return std::vector<std::string>(); },
                         .websockets_health = [this] { return registry_->health(); },
                         .storage_health = [this] { return leases_->health(); }});
            server_ = *http::Server::listen({});
            api_->install(*server_);
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            api_.reset();
            registry_.reset();
            leases_.reset();
        });
    }
    RawAnswer get(const std::string& target) { return ask(address_, "GET", target); }
    RawAnswer clean_up(const std::string& body = {}) {
        return ask(
            address_, "POST", "/api/debug/cleanup-connections", body.empty() ? "" : kJson, body);
    }
    /// A live one, silent for so long.
    std::string open(Facts facts, std::int64_t silent_s = 0) {
        return loop_.run([&] {
            Peer& peer = peers_.emplace_back(*registry_);
            peer.id_ = *registry_->open(std::move(facts), peer);
            registry_->live(peer.id_);
            if (silent_s < 0) return peer.id_;
            peer.traffic_ = {.received_messages = 40,
                             .received_bytes = 5'120,
                             .sent_messages = 90,
                             .sent_bytes = 20'480,
                             .queue_bytes = 0,
                             .last_heard_ns = base::monotonic_ns() - silent_s * base::kNsPerS,
                             .last_pong_ns = base::monotonic_ns() - silent_s * base::kNsPerS,
                             .rtt_ms = 3.1};
            return peer.id_;
        });
    }
    static Facts anna() {
        return {.kind = Kind::Channel,
                .user = "anna",
                .channel = "sales",
                .address = "127.0.0.1:51000",
                .forwarded_for = "192.0.2.7",
                .user_agent = "Browser/1",
                .protocol = "offhook.v1"};
    }

    testing::LoopThread loop_;
    NoCalls calls_;
    Metrics metrics_{"test"};
    std::unique_ptr<connection::MemoryLeases> leases_;
    std::unique_ptr<connection::Registry> registry_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::deque<Peer> peers_;
    std::string address_;
};

std::string stats_of(const std::string& by, const std::string& connections) {
    return "{at:text, uptime_s:number, total:number, " + by +
           ", counters:{opened:number, closed:number, replaced:number, reaped_stale:number, "
           "reaped_broken:number, reaped_slow:number, reaped_half_open:number, removed:number, "
           "refused:number, refused_by_reason:{}}, "
           "last_cleanup:{at:text, removed:number, trigger:text}, connections:" +
           connections + "}";
}

TEST_F(ConnectionRoutes, StatisticsHaveTheShapeOfThePage) {
    EXPECT_EQ(shape(get("/api/debug/websocket-stats").body),
              stats_of("by_kind:{}, by_state:{}, by_channel:{}", "[]"));
    open(anna());
    const RawAnswer answer = get("/api/debug/websocket-stats");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(
        shape(answer.body),
        stats_of("by_kind:{channel:number}, by_state:{live:number}, by_channel:{sales:number}",
                 "[" + std::string(kKnown) + "}]"));
    EXPECT_THAT(answer.body, HasSubstr(R"("total":1,"by_kind":{"channel":1})"));
    EXPECT_THAT(answer.body, HasSubstr(R"("by_state":{"live":1},"by_channel":{"sales":1})"));
    EXPECT_THAT(answer.body, HasSubstr(R"("trigger":"timer")"));
    EXPECT_THAT(answer.body,
                HasSubstr(R"("rtt_ms":3.1,"received":{"messages":40,"bytes":5120},)"
                          R"("sent":{"messages":90,"bytes":20480},"queue_bytes":0})"));
}

TEST_F(ConnectionRoutes, WhatIsNotKnownIsNull) {
    open({.kind = Kind::Monitor}, -1);
    EXPECT_EQ(shape(get("/api/debug/websocket-stats").body),
              stats_of("by_kind:{monitor:number}, by_state:{live:number}, by_channel:{}",
                       "[" + std::string(kUnknown) + "}]"));
}

TEST_F(ConnectionRoutes, CleanUpHasTheShapeOfThePageAndRemovesTheSilent) {
    open(anna());
    EXPECT_EQ(shape(clean_up().body),
              "{removed:number, kept:number, dry_run:boolean, removed_connections:[], "
              "took_ms:number}");
    const std::string stale = open(anna(), 95);
    const std::string nobody = open({.kind = Kind::Channel}, 95);
    const RawAnswer answer = clean_up();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(shape(answer.body),
              "{removed:number, kept:number, dry_run:boolean, removed_connections:[{id:text, "
              "kind:text, user:text, channel:text, reason:text, last_heard_s:number}], "
              "took_ms:number}");
    EXPECT_THAT(answer.body, HasSubstr(R"({"removed":2,"kept":1,)"));
    EXPECT_THAT(answer.body,
                HasSubstr(R"({"id":")" + stale +
                          R"(","kind":"channel","user":"anna","channel":"sales",)"
                          R"("reason":"stale","last_heard_s":95)"));
    EXPECT_THAT(answer.body,
                HasSubstr(R"({"id":")" + nobody +
                          R"(","kind":"channel","user":null,"channel":null,"reason":"stale")"));
    EXPECT_THAT(get("/api/debug/websocket-stats").body,
                HasSubstr(R"("reaped_stale":2,"reaped_broken":0)"));
}

TEST_F(ConnectionRoutes, CleanUpTakesAnOrder) {
    open(anna(), 20);
    open({.kind = Kind::Monitor}, 20);
    EXPECT_THAT(clean_up().body, HasSubstr(R"({"removed":0,"kept":2,"dry_run":false)"));
    EXPECT_THAT(clean_up(R"({"older_than_s":15,"dry_run":true})").body,
                HasSubstr(R"({"removed":2,"kept":0,"dry_run":true)"));
    EXPECT_THAT(clean_up(R"({"older_than_s":15,"kind":"channel"})").body,
                HasSubstr(R"({"removed":1,"kept":1,"dry_run":false)"));
    EXPECT_THAT(clean_up(R"({"kind":"channel","older_than_s":0})").body,
                HasSubstr(R"({"removed":0,"kept":1,)"));
}

TEST_F(ConnectionRoutes, AWrongOrderIsRefusedWithASentence) {
    const auto refusal = [&](const std::string& body) {
        const RawAnswer answer = clean_up(body);
        EXPECT_EQ(answer.status, 400) << body;
        return answer.body;
    };
    EXPECT_THAT(refusal(R"({"older_then_s":30})"), HasSubstr("there is no member"));
    EXPECT_THAT(refusal(R"({"older_than_s":"30"})"), HasSubstr("must be a whole number"));
    EXPECT_THAT(refusal(R"({"older_than_s":-1})"), HasSubstr("0 to 604800"));
    EXPECT_THAT(refusal(R"({"kind":"phone"})"), HasSubstr("channel, browser, monitor or ai"));
    EXPECT_THAT(refusal(R"({"kind":7})"), HasSubstr("kind must be a text"));
    EXPECT_THAT(refusal(R"({"dry_run":"yes"})"), HasSubstr("true or false"));
    refusal("[]");
    refusal("{");
    EXPECT_EQ(ask(address_,
                  "POST",
                  "/api/debug/cleanup-connections",
                  "Content-Type: text/plain\r\n",
                  "{}")
                  .status,
              415);
}

TEST_F(ConnectionRoutes, ListsWhatIsAskedFor) {
    open(anna());
    open({.kind = Kind::Monitor, .user = "bo"});
    const auto total = [&](const std::string& query) {
        const std::string body = get("/api/v1/connections" + query).body;
        const auto at = body.rfind("\"total\":");
        return at == std::string::npos ? -1 : std::stoi(body.substr(at + 8));
    };
    EXPECT_EQ(total(""), 2);
    EXPECT_EQ(total("?kind=monitor"), 1);
    EXPECT_EQ(total("?channel=sales"), 1);
    EXPECT_EQ(total("?channel=support"), 0);
    EXPECT_EQ(total("?user=bo"), 1);
    EXPECT_EQ(total("?user=bo&kind=channel"), 0);
    EXPECT_EQ(total("?limit=1"), 2);
    EXPECT_EQ(total("?ended=true"), 0);
    const std::string item =
        std::string(kKnown) + ", fence:null, ended:null, end_reason:null, end_detail:null}";
    EXPECT_EQ(shape(get("/api/v1/connections?kind=channel").body),
              "{items:[" + item + "], total:number}");
    for (const char* wrong : {"?kind=phone", "?ended=1", "?limit=0", "?limit=5001", "?limit=x"})
        EXPECT_EQ(get(std::string("/api/v1/connections") + wrong).status, 400) << wrong;
}

TEST_F(ConnectionRoutes, OneCanBeReadAndRemoved) {
    const std::string id = open(anna());
    EXPECT_EQ(shape(get("/api/v1/connections/" + id).body),
              std::string(kKnown) + ", fence:null, ended:null, end_reason:null, end_detail:null}");
    const RawAnswer gone = ask(address_, "DELETE", "/api/v1/connections/" + id);
    EXPECT_EQ(gone.status, 202);
    EXPECT_EQ(shape(gone.body),
              std::string(kKnown) + ", fence:null, ended:text, end_reason:text, end_detail:text}");
    EXPECT_THAT(gone.body, HasSubstr(R"("state":"ended")"));
    EXPECT_THAT(gone.body,
                HasSubstr(R"("end_reason":"removed","end_detail":"removed by the API")"));
    EXPECT_EQ(ask(address_, "DELETE", "/api/v1/connections/" + id).status, 202) << "again";
    EXPECT_THAT(get("/api/v1/connections?ended=true&user=anna").body, HasSubstr(id));
    EXPECT_EQ(get("/api/v1/connections/c-nothing").status, 404);
    EXPECT_EQ(ask(address_, "DELETE", "/api/v1/connections/c-nothing").status, 404);
}

TEST_F(ConnectionRoutes, HealthAndMetricsKnowThem) {
    const std::string id = open(anna());
    open({.kind = Kind::Ai});
    const std::string health = get("/health").body;
    EXPECT_THAT(
        health,
        HasSubstr(R"("websockets":{"status":"ok","detail":"2 live, 0 stale","live":2,"stale":0})"));
    EXPECT_THAT(
        health,
        HasSubstr(
            R"("storage":{"status":"off","detail":"places are kept by this process alone"})"));
    loop_.run([&] {
        registry_->remove(id, "test");
        registry_->refused("origin");
    });
    const std::string metrics = get("/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_connections{kind=\"ai\"} 1\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_connections{kind=\"channel\"} 0\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_opened_total 2\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_closed_total{reason=\"removed\"} 1\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_closed_total{reason=\"replaced\"} 0\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_replaced_total 0\n"));
    EXPECT_THAT(metrics, HasSubstr("offhook_ws_refused_total{reason=\"origin\"} 1\n"));
}

}  // namespace
}  // namespace offhook::api
