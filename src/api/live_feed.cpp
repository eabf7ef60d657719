#include "api/live_feed.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "api/live_text.h"
#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "diagnosis/diagnose.h"
#include "glib/json_body.h"
#include "stats/hop_ledger.h"

namespace offhook::api {
namespace {

using connection::EndReason;
using Status = model::HealthCheck::Status;

constexpr const char* kPath = "/api/v1/live";
constexpr int kVersion = 1;
constexpr int kNormal = 1000, kGoingAway = 1001, kPolicyViolation = 1008;
constexpr std::chrono::milliseconds kWatchLimit{10'000};
/// The first text of a page has all calls in it, some 700 bytes each.
constexpr std::size_t kMaxQueueBytes = 2 * 1024 * 1024;
constexpr std::size_t kMaxDetailBytes = 256;
/// Judgements, one a second: what comes and goes is not worth a headline.
constexpr int kWarnAfter = 3;
constexpr std::array kScopes{access::Scope::Read,
                             access::Scope::Operate,
                             access::Scope::Listen,
                             access::Scope::Barge,
                             access::Scope::Debug,
                             access::Scope::Admin};

std::string_view name_of(Status status) {
    return status == Status::Ok         ? "ok"
           : status == Status::Degraded ? "degraded"
           : status == Status::Failed   ? "failed"
                                        : "off";
}

model::HealthCheck ask(const model::HealthProbe& probe) {
    return probe ? probe() : model::HealthCheck{};
}

/// The bound below which 95 % of the turns were; -1: there was none.
double p95_ms(const std::vector<model::LatencyReading>& readings) {
    for (const model::LatencyReading& reading : readings) {
        if (reading.step != "turn") continue;
        std::uint64_t all = 0;
        for (const std::uint64_t bucket : reading.buckets) all += bucket;
        if (all == 0) return -1;
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < reading.bounds_s.size(); ++i) {
            below += reading.buckets[i];
            if (below * 20 >= all * 19) return reading.bounds_s[i] * 1000;
        }
        return reading.bounds_s.empty() ? -1 : reading.bounds_s.back() * 1000;
    }
    return -1;
}

void write_check(base::JsonWriter& json, const model::HealthCheck& check) {
    json.field("status", name_of(check.status)).field("detail", check.detail);
}

bool has_sound(const model::CallInfo& call) {
    return call.state == model::CallState::Answered || call.state == model::CallState::Held;
}

}  // namespace

/// One WebSocket, and whom it belongs to.
class LiveFeed::Page final : public http::ServerWebSocket::Listener,
                             public connection::Socket,
                             public std::enable_shared_from_this<LiveFeed::Page> {
public:
    Page(LiveFeed& feed,
         const http::Request& request,
         std::unique_ptr<http::ServerWebSocket> socket)
        : feed_(feed), request_(request), socket_(std::move(socket)) {}

    void begin() {
        socket_->listen(*this);
        auto id =
            feed_.parts_.registry.open({.kind = connection::Kind::Monitor,
                                        .user = request_.user,
                                        .address = request_.remote,
                                        .forwarded_for = request_.forwarded_for,
                                        .user_agent = std::string(request_.header("user-agent")),
                                        .protocol = "live"},
                                       *this);
        if (!id) return give_up(id.error().message, EndReason::Limit);
        connection_ = std::move(*id);
        timer_.once(feed_.context_.get(), kWatchLimit, [this] {
            give_up("the first message is {\"type\":\"watch\"}, with the token where one is needed",
                    EndReason::HalfOpen);
        });
    }

    /// False when it is over by now.
    bool send(std::string_view text) { return socket_ && socket_->send(text); }
    [[nodiscard]] bool is_watching() const { return is_watching_; }
    [[nodiscard]] const access::Scopes& scopes() const { return scopes_; }

    void leave(const std::string& detail, int code, EndReason reason) {
        const auto keep = shared_from_this();
        timer_.cancel();
        feed_.forget(this);
        if (!connection_.empty()) feed_.parts_.registry.ended(connection_, reason, detail);
        if (const auto socket = std::move(socket_)) socket->close(code, {});
    }

    // http::ServerWebSocket::Listener
    void on_websocket_message(std::string_view text) override {
        const auto keep = shared_from_this();
        if (is_watching_) return;
        const auto message = glib::JsonBody::parse(text, "the message");
        if (!message) return give_up(message.error().text(), EndReason::Broken);
        if (message->text("type") != "watch")
            return give_up("the first message is of type watch", EndReason::Broken);
        std::string token = message->text("token").value_or("");
        if (token.empty()) token = access::bearer_of(request_);
        const auto visitor = feed_.parts_.keyring.visitor(request_, token);
        if (!visitor) return give_up(visitor.error().message, EndReason::Left);
        if (visitor->grant || !visitor->subject.scopes.has(access::Scope::Read))
            return give_up("this takes a token with the scope read", EndReason::Left);
        timer_.cancel();
        scopes_ = visitor->subject.scopes;
        is_watching_ = true;
        feed_.parts_.registry.learn(
            connection_, {.kind = connection::Kind::Monitor, .user = visitor->subject.user});
        feed_.parts_.registry.live(connection_);
        feed_.watch(*this);
    }
    void on_websocket_closed(base::Error why, int /*code*/) override {
        leave(base::escape_untrusted(why.text(), kMaxDetailBytes),
              kNormal,
              connection::reason_of(socket_->ended()));
    }

    // connection::Socket
    [[nodiscard]] connection::Traffic traffic() const override {
        return socket_ ? socket_->traffic() : connection::Traffic();
    }
    void end(EndReason why, const std::string& detail, bool /*must_cut*/) override {
        leave(detail, connection::close_code(why), why);
    }

private:
    void give_up(const std::string& why, EndReason reason) {
        base::JsonWriter json;
        json.begin_object().field("type", "error");
        json.field("detail", base::escape_untrusted(why, kMaxDetailBytes)).end();
        send(json.text());
        leave(why, kPolicyViolation, reason);
    }

    LiveFeed& feed_;
    const http::Request request_;
    std::unique_ptr<http::ServerWebSocket> socket_;  ///< empty once it is over
    connection::ConnectionId connection_;
    access::Scopes scopes_;
    bool is_watching_ = false;
    glib::Timer timer_;
};

LiveFeed::LiveFeed(LiveParts parts)
    : parts_(std::move(parts)),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_ref(parts_.context))),
      started_ns_(base::monotonic_ns()) {}

LiveFeed::~LiveFeed() {
    while (!pages_.empty()) {
        const auto page = pages_.begin()->second;
        page->leave("the daemon stops", kGoingAway, EndReason::Shutdown);
    }
}

void LiveFeed::install(http::Server& server) {
    server.websocket(
        kPath,
        {.admit = [this](const http::Request& request) -> std::optional<http::Response> {
             return parts_.keyring.refuse_socket(request);
         },
         .open =
             [this](const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket) {
                 open(request, std::move(socket));
             }},
        {.websocket = {.max_message_bytes = 4'096, .max_queue_bytes = kMaxQueueBytes}});
}

void LiveFeed::open(const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket) {
    const auto page = std::make_shared<Page>(*this, request, std::move(socket));
    pages_.emplace(page.get(), page);
    page->begin();
}

void LiveFeed::forget(Page* page) {
    if (pages_.erase(page) == 0 || !page->is_watching()) return;
    if (--watching_ > 0) return;
    timer_.cancel();
    known_.clear();
}

// It gets everything; from then on it gets what all get.
void LiveFeed::watch(Page& page) {
    ++watching_;
    base::JsonWriter hello;
    hello.begin_object().field("type", "hello").field("version", kVersion);
    hello.field("at_ms", base::realtime_ns() / base::kNsPerMs);
    hello.field("period_ms", parts_.period.count()).key("row");
    write_live_columns(hello);
    hello.key("may").begin_array();
    for (const access::Scope scope : kScopes) {
        if (page.scopes().has(scope)) hello.value(access::name_of(scope));
    }
    hello.end().end();
    page.send(hello.text());
    if (watching_ == 1) {
        // Nobody looked before, so the first look is news to it as a whole.
        looks_ = 0;
        tick();
        timer_.every(context_.get(), parts_.period, [this] { tick(); });
        return;
    }
    std::string all = R"({"type":"tick","at_ms":)" +
                      std::to_string(base::realtime_ns() / base::kNsPerMs) + R"(,"calls":[)";
    bool is_first = true;
    for (const auto& [id, known] : known_) {
        if (!is_first) all += ',';
        is_first = false;
        all += known.facts;
    }
    all += "]";
    if (!summary_.empty()) all += R"(,"summary":)" + summary_;
    page.send(all + "}");
}

void LiveFeed::tick() {
    const std::string text =
        look(looks_ % static_cast<std::uint64_t>(parts_.periods_of_summary) == 0);
    // Whoever is too slow leaves the list while it is walked.
    std::vector<std::shared_ptr<Page>> pages;
    pages.reserve(pages_.size());
    for (const auto& [raw, page] : pages_) {
        if (page->is_watching()) pages.push_back(page);
    }
    for (const auto& page : pages) page->send(text);
}

std::string LiveFeed::look(bool is_whole) {
    const std::vector<model::CallInfo> calls = parts_.calls.calls(false);
    ++looks_;
    if (is_whole) judge(calls);
    std::string changed;
    base::JsonWriter rows;
    rows.begin_array();
    for (const model::CallInfo& call : calls) {
        Known& known = known_[call.id.text];
        if (known.n == 0) known.n = next_n_++;
        known.seen = looks_;
        if (std::string facts = live_facts(known.n, call, known.trouble); facts != known.facts) {
            if (!changed.empty()) changed += ',';
            changed += facts;
            known.facts = std::move(facts);
        }
        if (has_sound(call)) write_live_row(rows, known.n, call, known.is_clipped);
    }
    rows.end();
    std::string gone;
    for (auto each = known_.begin(); each != known_.end();) {
        if (each->second.seen == looks_) {
            ++each;
            continue;
        }
        gone += (gone.empty() ? "\"" : ",\"") + each->first + "\"";
        each = known_.erase(each);
    }
    std::string text = R"({"type":"tick","at_ms":)" +
                       std::to_string(base::realtime_ns() / base::kNsPerMs) + R"(,"rows":)" +
                       rows.text();
    if (!changed.empty()) text += R"(,"calls":[)" + changed + "]";
    if (!gone.empty()) text += R"(,"gone":[)" + gone + "]";
    if (is_whole) {
        summary_ = summary(calls);
        text += R"(,"summary":)" + summary_;
    }
    return text + "}";
}

void LiveFeed::judge(const std::vector<model::CallInfo>& calls) {
    const std::int64_t now_ns = base::realtime_ns();
    for (const model::CallInfo& call : calls) {
        Known& known = known_[call.id.text];
        if (known.n == 0) known.n = next_n_++;
        diagnosis::Facts facts{.now_ns = now_ns,
                               .call = call,
                               .hops = stats::hops_of(call, now_ns),
                               .gap_limit_ms = parts_.gap_limit_ms};
        auto trouble = trouble_of(call, diagnosis::diagnose(facts));
        const std::string_view code = trouble.empty() ? std::string_view() : trouble.front().code;
        known.suspected_for = code == known.suspected ? known.suspected_for + 1 : 1;
        known.suspected = code;
        known.trouble.reset();
        if (!trouble.empty() && (trouble.front().severity == diagnosis::Severity::Error ||
                                 known.suspected_for >= kWarnAfter)) {
            known.trouble = std::move(trouble.front());
        }
        const std::uint64_t clipped =
            call.stats.received_sound.clipped_samples + call.stats.sent_sound.clipped_samples;
        known.is_clipped = known.seen > 0 && clipped > known.clipped_samples;
        known.clipped_samples = clipped;
    }
}

std::string LiveFeed::summary(const std::vector<model::CallInfo>& calls) const {
    VerdictFacts facts{.calls = calls.size(),
                       .accounts = ask(parts_.accounts_health),
                       .ai = ask(parts_.ai_health),
                       .media = ask(parts_.media_health),
                       .tick_p99_limit_ms = parts_.tick_p99_limit_ms,
                       .is_draining = parts_.draining && parts_.draining()};
    // Oldest first, so that the sentence does not jump from call to call.
    for (const model::CallInfo& call : calls) {
        const auto known = known_.find(call.id.text);
        if (known != known_.end() && known->second.trouble)
            facts.trouble.push_back(*known->second.trouble);
    }
    const auto workers = parts_.workers ? parts_.workers() : std::vector<model::WorkerStats>();
    double cpu_share = 0;
    for (const model::WorkerStats& worker : workers) {
        facts.tick_p99_ms = std::max(facts.tick_p99_ms, worker.tick_p99_ms);
        cpu_share = std::max(cpu_share, worker.cpu_share);
    }
    const Verdict verdict = verdict_of(facts);
    const model::CallDirectory::Totals totals = parts_.calls.totals();
    const double answer_ms = parts_.ai_latencies ? p95_ms(parts_.ai_latencies()) : -1;

    base::JsonWriter json;
    json.begin_object().key("verdict").begin_object().field("level", verdict.level);
    json.field("sentence", verdict.sentence).key("call");
    verdict.call.empty() ? json.null() : json.value(verdict.call.text);
    json.end().key("calls").begin_object().field("now", calls.size());
    json.field("alive", totals.alive).field("max", parts_.max_calls);
    json.field("total", totals.started).end().key("accounts").begin_object();
    write_check(json, facts.accounts);
    for (const auto& [name, value] : facts.accounts.figures) {
        if (const auto* whole = std::get_if<std::int64_t>(&value)) json.field(name, *whole);
    }
    json.end().key("ai").begin_object();
    write_check(json, facts.ai);
    json.key("answer_ms");
    answer_ms < 0 ? json.null() : json.value(answer_ms);
    json.end().key("media").begin_object();
    write_check(json, facts.media);
    json.field("workers", workers.size()).field("tick_p99_ms", facts.tick_p99_ms);
    json.field("cpu_share", cpu_share).end();
    json.field("draining", facts.is_draining).field("version", OFFHOOK_VERSION);
    json.field("uptime_s", (base::monotonic_ns() - started_ns_) / base::kNsPerS);
    json.field("pages", watching_).end();
    return std::move(json).text();
}

}  // namespace offhook::api
