#include <algorithm>

#include "api/api.h"
#include "base/json_writer.h"
#include "base/monotonic.h"

namespace offhook::api {
namespace {

using model::HealthCheck;
using Status = HealthCheck::Status;
using Figure = decltype(HealthCheck::figures)::value_type;

struct NamedCheck {
    std::string_view name;
    HealthCheck check;
};

std::string_view name_of(Status status) {
    switch (status) {
        case Status::Off:
            return "off";
        case Status::Ok:
            return "ok";
        case Status::Degraded:
            return "degraded";
        case Status::Failed:
            break;
    }
    return "failed";
}

HealthCheck ask(const model::HealthProbe& probe, const char* off) {
    return probe ? probe() : HealthCheck{Status::Off, off, {}};
}

// The figures that the page promises come first and from where they are known; the probe may add
// others.
void promise(HealthCheck& check, std::vector<Figure> promised) {
    for (Figure& figure : check.figures) {
        const bool known = std::any_of(promised.begin(), promised.end(), [&](const Figure& p) {
            return p.first == figure.first;
        });
        if (!known) promised.push_back(std::move(figure));
    }
    check.figures = std::move(promised);
}

std::string counted(std::uint64_t n, const char* noun) {
    return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

// Frames that were given up are the workers' lateness, which `media` tells.
HealthCheck channels_check(const ApiParts& parts) {
    if (parts.channels == nullptr) return {Status::Off, "there are no channels here", {}};
    const auto channels = parts.channels->channels();
    std::size_t members = 0;
    for (const model::ChannelInfo& channel : channels) members += channel.members.size();
    return {Status::Ok,
            counted(channels.size(), "channel") + ", " + counted(members, "member"),
            {{"channels", static_cast<std::int64_t>(channels.size())},
             {"members", static_cast<std::int64_t>(members)}}};
}

std::vector<NamedCheck> checks_of(const ApiParts& parts) {
    const model::CallDirectory::Totals totals = parts.calls.totals();
    const std::vector<model::WorkerStats> workers = parts.workers();
    double p99_ms = 0;
    for (const model::WorkerStats& worker : workers) p99_ms = std::max(p99_ms, worker.tick_p99_ms);

    HealthCheck calls = ask(parts.calls_health, "calls are not watched");
    promise(calls,
            {{"active", static_cast<std::int64_t>(totals.active)},
             {"alive", static_cast<std::int64_t>(totals.alive)},
             {"total", static_cast<std::int64_t>(totals.started)}});
    HealthCheck media = ask(parts.media_health, "media workers are not watched");
    promise(media,
            {{"workers", static_cast<std::int64_t>(workers.size())}, {"tick_p99_ms", p99_ms}});
    HealthCheck websockets = ask(parts.websockets_health, "nobody can join by WebSocket");
    if (websockets.figures.empty()) promise(websockets, {{"live", std::int64_t{0}}});
    return {{"accounts",
             ask(parts.accounts_health, "no account is configured; calls come in directly")},
            {"calls", std::move(calls)},
            {"media", std::move(media)},
            {"ai", ask(parts.ai_health, "no AI is configured")},
            {"websockets", std::move(websockets)},
            {"channels", channels_check(parts)},
            {"storage", ask(parts.storage_health, "nothing is stored")}};
}

Status worst_of(const std::vector<NamedCheck>& checks) {
    Status worst = Status::Ok;
    for (const NamedCheck& c : checks) worst = std::max(worst, c.check.status);
    return worst;
}

std::string summary_of(const ApiParts& parts, const std::vector<NamedCheck>& checks) {
    const model::CallDirectory::Totals totals = parts.calls.totals();
    std::string summary;
    if (parts.draining()) {
        summary = "draining, " + counted(totals.active, "call") + " left";
    } else if (totals.active == 0) {
        summary = "no calls";
    } else if (totals.active == totals.alive) {
        summary = counted(totals.active, "call") + " alive";
    } else {
        summary = std::to_string(totals.alive) + " of " + counted(totals.active, "call") + " alive";
    }
    bool wrong = false;
    for (const NamedCheck& c : checks) {
        if (c.check.status != Status::Degraded && c.check.status != Status::Failed) continue;
        wrong = true;
        summary += "; " + std::string(c.name) + " " + std::string(name_of(c.check.status)) + ": " +
                   c.check.detail;
    }
    return wrong ? summary : summary + ", nothing wrong";
}

void write_check(base::JsonWriter& json, const HealthCheck& check) {
    json.begin_object().field("status", name_of(check.status)).field("detail", check.detail);
    for (const auto& [name, figure] : check.figures) {
        json.key(name);
        std::visit([&](const auto& value) { json.value(value); }, figure);
    }
    json.end();
}

/// Whether it works, for load balancers; nothing that tells of what is behind.
http::Response for_strangers(Status status, bool is_draining) {
    base::JsonWriter json;
    json.begin_object().field("status", name_of(status)).field("draining", is_draining);
    json.field("summary", "show a token with the scope read for more").end();
    return {status == Status::Failed ? 503 : 200,
            "application/json",
            std::move(json).text() + "\n",
            {}};
}

}  // namespace

void Api::install_health(http::Server& server) {
    server.route(
        "GET",
        "/health",
        [this](const http::Request& request) {
            const std::vector<NamedCheck> checks = checks_of(parts_);
            const Status status = worst_of(checks);
            if (!request.may("read")) return for_strangers(status, parts_.draining());
            base::JsonWriter json;
            json.begin_object().field("status", name_of(status)).field("version", OFFHOOK_VERSION);
            json.field("uptime_s", (base::monotonic_ns() - started_ns_) / base::kNsPerS);
            json.field("draining", parts_.draining()).field("summary", summary_of(parts_, checks));
            json.key("checks").begin_object();
            for (const NamedCheck& c : checks) {
                json.key(c.name);
                write_check(json, c.check);
            }
            json.end().key("listeners").begin_array();
            for (const std::string& listener : parts_.listeners()) json.value(listener);
            json.end().end();
            return http::Response{status == Status::Failed ? 503 : 200,
                                  "application/json",
                                  std::move(json).text() + "\n",
                                  {}};
        },
        {.scope = "read?"});

    server.route("GET",
                 "/livez",
                 [this](const http::Request&) {
                     const HealthCheck check =
                         parts_.liveness ? parts_.liveness() : HealthCheck{Status::Ok, "", {}};
                     const bool alive = check.status != Status::Failed;
                     base::JsonWriter json;
                     json.begin_object()
                         .field("status", alive ? "ok" : "failed")
                         .field("detail", check.detail)
                         .end();
                     return http::Response{
                         alive ? 200 : 503, "application/json", std::move(json).text() + "\n", {}};
                 },
                 {.scope = "read?"});

    server.route("GET",
                 "/readyz",
                 [this](const http::Request& request) {
                     const std::vector<NamedCheck> checks = checks_of(parts_);
                     const bool draining = parts_.draining();
                     const bool ready = !draining && worst_of(checks) != Status::Failed;
                     base::JsonWriter json;
                     json.begin_object()
                         .field("status", ready ? "ok" : "failed")
                         .field("draining", draining);
                     json.key("failing").begin_array();
                     for (const NamedCheck& c : checks) {
                         if (c.check.status != Status::Failed) continue;
                         json.begin_object().field("check", c.name);
                         if (request.may("read")) json.field("detail", c.check.detail);
                         json.end();
                     }
                     json.end().end();
                     return http::Response{
                         ready ? 200 : 503, "application/json", std::move(json).text() + "\n", {}};
                 },
                 {.scope = "read?"});
}

}  // namespace offhook::api
