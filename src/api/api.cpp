#include "api/api.h"

#include <utility>

#include "base/monotonic.h"

namespace offhook::api {

Api::Api(ApiParts parts) : parts_(std::move(parts)), started_ns_(base::monotonic_ns()) {}

void Api::install(http::Server& server) {
    install_health(server);
    install_metrics(server);
    install_accounts(server);
    install_calls(server);
    if (parts_.control != nullptr) {
        install_call_orders(server);
        install_messages(server);
    }
    if (parts_.connections != nullptr) install_connections(server);
    server.on_answered([this](std::string_view route, int status, double seconds) {
        parts_.metrics.on_http(route, status, seconds);
    });
}

}  // namespace offhook::api
