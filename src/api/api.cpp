#include "api/api.h"

#include <utility>

#include "api/live_feed.h"
#include "base/json_writer.h"
#include "base/monotonic.h"

namespace offhook::api {

Api::Api(ApiParts parts) : parts_(std::move(parts)), started_ns_(base::monotonic_ns()) {}

Api::~Api() = default;

namespace {

http::Response routes_of(const http::Server& server) {
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const http::Server::RouteInfo& route : server.routes()) {
        json.begin_object().field("method", route.method).field("pattern", route.pattern);
        json.field("scope", route.scope).field("websocket", route.opens_websocket).end();
    }
    json.end().end();
    return {200, "application/json", std::move(json).text() + "\n", {}};
}

}  // namespace

void Api::install(http::Server& server) {
    server.route("GET",
                 "/api/debug/routes",
                 [&server](const http::Request&) { return routes_of(server); },
                 {.scope = "debug"});
    install_openapi(server);
    install_health(server);
    install_metrics(server);
    install_accounts(server);
    install_calls(server);
    install_statistics(server);
    if (parts_.control != nullptr) {
        install_call_orders(server);
        install_messages(server);
    }
    if (parts_.channels != nullptr) install_channels(server);
    if (parts_.connections != nullptr) install_connections(server);
    install_config(server);
    if (parts_.records != nullptr) install_cdr(server);
    if (parts_.recordings != nullptr) install_recordings(server);
    if (parts_.keyring != nullptr) install_sessions(server);
    if (parts_.demo != nullptr) install_demo(server);
    if (parts_.setup != nullptr) install_setup(server);
    install_diagnosis(server);
    install_daemon(server);
    if (parts_.page != nullptr) install_page(server);
    if (parts_.keyring != nullptr && parts_.connections != nullptr) install_live(server);
    server.on_answered([this](std::string_view route, int status, double seconds) {
        parts_.metrics.on_http(route, status, seconds);
    });
}

void Api::install_live(http::Server& server) {
    live_ = std::make_unique<LiveFeed>(LiveParts{.calls = parts_.calls,
                                                 .keyring = *parts_.keyring,
                                                 .registry = *parts_.connections,
                                                 .context = parts_.context,
                                                 .max_calls = parts_.max_calls,
                                                 .tick_p99_limit_ms = parts_.tick_p99_limit_ms,
                                                 .gap_limit_ms = parts_.gap_limit_ms,
                                                 .workers = parts_.workers,
                                                 .draining = parts_.draining,
                                                 .ai_latencies = parts_.ai_latencies,
                                                 .accounts_health = parts_.accounts_health,
                                                 .ai_health = parts_.ai_health,
                                                 .media_health = parts_.media_health});
    live_->install(server);
}

}  // namespace offhook::api
