#include <algorithm>

#include "api/api.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "http/problem.h"

namespace offhook::api {
namespace {

using model::AccountInfo;

void time_field(base::JsonWriter& json, std::string_view name, std::int64_t realtime_ns) {
    json.key(name);
    realtime_ns == 0 ? json.null() : json.value(base::rfc3339_utc_ms(realtime_ns));
}

/// Whole seconds from now, not below 0; null when there is no such time.
void left_field(base::JsonWriter& json, std::string_view name, std::int64_t realtime_ns) {
    json.key(name);
    if (realtime_ns == 0) {
        json.null();
        return;
    }
    const std::int64_t left_ns = realtime_ns - base::realtime_ns();
    json.value(std::max<std::int64_t>(0, left_ns / base::kNsPerS));
}

void known_field(base::JsonWriter& json, std::string_view name, const std::string& text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
}

void write_account(base::JsonWriter& json, const AccountInfo& account) {
    json.begin_object()
        .field("name", account.name)
        .field("kind", account.kind)
        .field("user", account.user)
        .field("domain", account.domain)
        .field("state", model::name_of(account.state))
        .field("registered", account.state == model::AccountState::Registered);
    known_field(json, "flow", account.flow);
    known_field(json, "proxy", account.proxy);
    known_field(json, "contact", account.contact);
    known_field(json, "local_address", account.local_address);
    time_field(json, "registered_at", account.registered_ns);
    time_field(json, "expires_at", account.expires_ns);
    left_field(json, "expires_in_s", account.expires_ns);
    time_field(json, "next_try_at", account.next_try_ns);
    left_field(json, "next_try_in_s", account.next_try_ns);
    json.key("last_status");
    account.last_status == 0 ? json.null() : json.value(account.last_status);
    known_field(json, "last_answer", account.last_answer);
    json.field("registrations", account.registrations)
        .field("failures", account.failures)
        .field("flow_losses", account.flow_losses)
        .field("insecure", account.is_insecure)
        .end();
}

}  // namespace

void Api::install_accounts(http::Server& server) {
    server.route(
        "GET",
        "/api/v1/accounts",
        [this](const http::Request&) {
            base::JsonWriter json;
            json.begin_object().key("items").begin_array();
            if (parts_.accounts != nullptr) {
                for (const AccountInfo& account : parts_.accounts->accounts())
                    write_account(json, account);
            }
            json.end().key("next").null().end();
            return http::Response{200, "application/json", std::move(json).text() + "\n", {}};
        },
        {.scope = "read"});

    server.route("GET",
                 "/api/v1/accounts/{name}",
                 [this](const http::Request& request) {
                     const std::string& name = request.params.at("name");
                     if (parts_.accounts != nullptr) {
                         for (const AccountInfo& account : parts_.accounts->accounts()) {
                             if (account.name != name) continue;
                             base::JsonWriter json;
                             write_account(json, account);
                             return http::Response{
                                 200, "application/json", std::move(json).text() + "\n", {}};
                         }
                     }
                     return http::problem_response(
                         {404,
                          "not-found",
                          "There is no such account",
                          "no [[account]] of the configuration has this name",
                          "GET /api/v1/accounts lists them"},
                         request.path,
                         request.request_id);
                 },
                 {.scope = "read"});
}

}  // namespace offhook::api
