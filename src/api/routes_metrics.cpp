#include "api/api.h"

namespace offhook::api {

void Api::install_metrics(http::Server& server) {
    server.route("GET", "/metrics", [this](const http::Request&) {
        return http::Response{
            200,
            "text/plain; version=0.0.4; charset=utf-8",
            parts_.metrics.scrape(parts_.calls.calls(false), parts_.workers(), parts_.draining()),
            {}};
    });
}

}  // namespace offhook::api
