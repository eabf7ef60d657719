#include "api/api.h"

#include <utility>

#include "base/json_writer.h"
#include "base/monotonic.h"

namespace offhook::api {

Api::Api(ApiParts parts) : parts_(std::move(parts)), started_ns_(base::monotonic_ns()) {}

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
    install_diagnosis(server);
    install_daemon(server);
    if (parts_.page != nullptr) install_page(server);
    server.on_answered([this](std::string_view route, int status, double seconds) {
        parts_.metrics.on_http(route, status, seconds);
    });
}

}  // namespace offhook::api
