#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/connection_json.h"
#include "api/order_body.h"
#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "http/problem.h"

namespace offhook::api {
namespace {

using connection::Entry;
using connection::Registry;

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMaxLimit = 5'000;
constexpr int kMaxOlderThanS = 7 * 24 * 3600;
constexpr const char* kKinds = "channel, browser, monitor or ai";

void counted(base::JsonWriter& json,
             std::string_view name,
             const std::map<std::string, std::size_t>& counts) {
    json.key(name).begin_object();
    for (const auto& [key, count] : counts) json.field(key, count);
    json.end();
}

http::Response statistics(const Registry& registry, std::int64_t uptime_s) {
    const std::vector<Entry> all = registry.connections();
    std::map<std::string, std::size_t> by_kind, by_state, by_channel;
    for (const Entry& entry : all) {
        ++by_kind[std::string(name_of(entry.facts.kind))];
        ++by_state[std::string(name_of(entry.state))];
        if (!entry.facts.channel.empty()) ++by_channel[entry.facts.channel];
    }
    base::JsonWriter json;
    json.begin_object()
        .field("at", base::rfc3339_utc_ms(base::realtime_ns()))
        .field("uptime_s", uptime_s)
        .field("total", all.size());
    counted(json, "by_kind", by_kind);
    counted(json, "by_state", by_state);
    counted(json, "by_channel", by_channel);
    const Registry::Counters counters = registry.counters();
    json.key("counters")
        .begin_object()
        .field("opened", counters.opened)
        .field("closed", counters.closed)
        .field("replaced", counters.replaced)
        .field("reaped_stale", counters.reaped_stale)
        .field("reaped_broken", counters.reaped_broken)
        .field("reaped_slow", counters.reaped_slow)
        .field("reaped_half_open", counters.reaped_half_open)
        .field("removed", counters.removed)
        .field("refused", counters.refused);
    json.key("refused_by_reason").begin_object();
    for (const auto& [reason, count] : counters.refused_by_reason) json.field(reason, count);
    json.end().end();
    const connection::Cleanup& last = registry.last_cleanup();
    json.key("last_cleanup")
        .begin_object()
        .field("at", base::rfc3339_utc_ms(last.at_ns))
        .field("removed", last.removed.size())
        .field("trigger", last.trigger)
        .end();
    json.key("connections").begin_array();
    for (const Entry& entry : all) write_connection(json, entry, false);
    json.end().end();
    return json_response(200, std::move(json));
}

http::Response clean_up(const http::Request& request, Registry& registry) {
    connection::CleanupOrder order;
    order.trigger = "api";
    if (!request.body.empty()) {
        OrderBody body(request, {"older_than_s", "kind", "dry_run"});
        const std::optional<int> older_than_s = body.whole("older_than_s");
        const std::optional<std::string> kind = body.given("kind");
        order.is_dry_run = body.boolean("dry_run").value_or(false);
        if (body.problem()) return *body.problem();
        if (older_than_s && (*older_than_s < 0 || *older_than_s > kMaxOlderThanS)) {
            return bad_value(request, "older_than_s must be 0 to 604800", "older_than_s");
        }
        if (older_than_s) order.older_than = std::chrono::seconds(*older_than_s);
        if (kind) order.kind = connection::kind(*kind);
        if (kind && !order.kind)
            return bad_value(request, std::string("kind must be ") + kKinds, "kind");
    }
    const connection::Cleanup done = registry.cleanup(order);
    base::JsonWriter json;
    json.begin_object().field("removed", done.removed.size()).field("kept", done.kept);
    json.field("dry_run", order.is_dry_run).key("removed_connections").begin_array();
    for (const auto& [entry, reason] : done.removed) {
        json.begin_object().field("id", entry.id).field("kind", name_of(entry.facts.kind));
        for (const auto& [name, text] :
             {std::pair{"user", &entry.facts.user}, std::pair{"channel", &entry.facts.channel}}) {
            json.key(name);
            text->empty() ? json.null() : json.value(*text);
        }
        json.field("reason", name_of(reason)).field("last_heard_s", last_heard_s(entry)).end();
    }
    json.end().field("took_ms", done.took_ms).end();
    return json_response(200, std::move(json));
}

http::Response list(const http::Request& request, const Registry& registry) {
    const auto query = [&](const char* name) -> const std::string* {
        const auto found = request.query.find(name);
        return found == request.query.end() ? nullptr : &found->second;
    };
    std::optional<connection::Kind> kind;
    if (const std::string* given = query("kind")) {
        kind = connection::kind(*given);
        if (!kind) return bad_value(request, std::string("kind must be ") + kKinds);
    }
    bool is_history = false;
    if (const std::string* given = query("ended")) {
        if (*given != "true" && *given != "false")
            return bad_value(request, "ended must be true or false");
        is_history = *given == "true";
    }
    std::size_t limit = kDefaultLimit;
    if (const std::string* given = query("limit")) {
        const char* const end = given->data() + given->size();
        const auto read = std::from_chars(given->data(), end, limit);
        if (read.ec != std::errc{} || read.ptr != end || limit < 1 || limit > kMaxLimit)
            return bad_value(request, "limit must be 1 to 5000");
    }
    std::vector<Entry> all = is_history ? registry.history() : registry.connections();
    std::erase_if(all, [&](const Entry& entry) {
        const std::string* channel = query("channel");
        const std::string* user = query("user");
        return (kind && entry.facts.kind != *kind) ||
               (channel != nullptr && entry.facts.channel != *channel) ||
               (user != nullptr && entry.facts.user != *user);
    });
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < std::min(limit, all.size()); ++i)
        write_connection(json, all[i], true);
    json.end().field("total", all.size()).end();
    return json_response(200, std::move(json));
}

http::Response one(const http::Request& request, const Registry& registry, int status) {
    const std::string& id = request.params.at("id");
    if (const auto entry = registry.find(id)) {
        base::JsonWriter json;
        write_connection(json, *entry, true);
        return json_response(status, std::move(json));
    }
    return http::problem_response(
        {.status = 404,
         .code = "not-found",
         .title = "There is no such connection",
         .detail = "no live connection and none of the last 1,000 has the id " + id,
         .hint = "GET /api/v1/connections lists them"},
        request.path,
        request.request_id);
}

}  // namespace

void Api::install_connections(http::Server& server) {
    Registry& registry = *parts_.connections;
    server.route("GET",
                 "/api/debug/websocket-stats",
                 [this, &registry](const http::Request&) {
                     return statistics(registry,
                                       (base::monotonic_ns() - started_ns_) / base::kNsPerS);
                 },
                 {.scope = "debug"});
    server.route("POST",
                 "/api/debug/cleanup-connections",
                 [&registry](const http::Request& request) { return clean_up(request, registry); },
                 {.scope = "debug"});
    server.route("GET",
                 "/api/v1/connections",
                 [&registry](const http::Request& request) { return list(request, registry); },
                 {.scope = "read"});
    server.route("GET",
                 "/api/v1/connections/{id}",
                 [&registry](const http::Request& request) { return one(request, registry, 200); },
                 {.scope = "read"});
    server.route("DELETE",
                 "/api/v1/connections/{id}",
                 [&registry](const http::Request& request) {
                     // One that ended already is as it was asked for; an unknown one is 404 below.
                     registry.remove(request.params.at("id"),
                                     request.user.empty() ? "the API" : request.user);
                     return one(request, registry, 202);
                 },
                 {.scope = "operate"});
}

}  // namespace offhook::api
