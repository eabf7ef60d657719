// Sessions of the page: a one-time secret becomes a bearer token.

#include <chrono>

#include "access/sessions.h"
#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"
#include "http/problem.h"

namespace offhook::api {
namespace {

template <class Duration>
std::int64_t seconds_of(Duration duration) {
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

void Api::install_sessions(http::Server& server) {
    server.route("POST", "/api/v1/session", [this](const http::Request& request) {
        OrderBody body(request, {"once"});
        const std::string once = body.needed("once");
        if (body.problem()) return *body.problem();
        const auto token = parts_.keyring->open_session(request, once);
        if (!token) return parts_.keyring->refusal(request, token.error());
        base::JsonWriter json;
        json.begin_object()
            .field("token", token->reveal())
            .field("idle_s", seconds_of(access::Sessions::kIdleLife))
            .end();
        return json_response(200, std::move(json));
    });
    server.route("POST",
                 "/api/v1/session/once",
                 [this](const http::Request&) {
                     const auto once = parts_.keyring->offer_session();
                     base::JsonWriter json;
                     json.begin_object()
                         .field("once", once ? once->reveal() : "")
                         .field("path", "/#token=" + (once ? once->reveal() : ""))
                         .field("expires_s", seconds_of(access::Sessions::kOnceLife))
                         .end();
                     return json_response(201, std::move(json));
                 },
                 {.scope = "admin"});
}

}  // namespace offhook::api
