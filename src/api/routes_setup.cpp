// Connect your PBX: a REGISTER that is tried, and a configuration that is written. Whoever may do
// this sees no password again: no answer has one.

#include <memory>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"
#include "demo/pbx_setup.h"

namespace offhook::api {
namespace {

/// Empty when it cannot be right; `problem` then has the answer.
std::optional<demo::PbxForm> form_of(const http::Request& request, http::Response& problem) {
    OrderBody body(request,
                   {"domain",
                    "user",
                    "password",
                    "transport",
                    "outbound_proxy",
                    "auth_user",
                    "tls_name",
                    "ca_file"});
    demo::PbxForm form;
    form.domain = body.needed("domain");
    form.user = body.needed("user");
    form.password = base::Secret(body.optional("password"));
    form.transport = body.given("transport").value_or("udp");
    form.outbound_proxy = body.optional("outbound_proxy");
    form.auth_user = body.optional("auth_user");
    form.tls_name = body.optional("tls_name");
    form.ca_file = body.optional("ca_file");
    if (body.problem()) {
        problem = *body.problem();
        return std::nullopt;
    }
    if (const auto wrong = demo::problem_of(form)) {
        problem = bad_value(request, wrong->field + " " + wrong->sentence, wrong->field);
        return std::nullopt;
    }
    return form;
}

http::Response verdict_response(const demo::PbxVerdict& verdict) {
    base::JsonWriter json;
    json.begin_object()
        .field("registered", verdict.is_registered)
        .field("cause", verdict.cause)
        .field("sentence", verdict.sentence)
        .key("status");
    verdict.status == 0 ? json.null() : json.value(verdict.status);
    json.end();
    return json_response(200, std::move(json));
}

void test(demo::PbxSetup& setup, const http::Request& request, http::Responder responder) {
    http::Response problem;
    const auto form = form_of(request, problem);
    if (!form) return responder.send(std::move(problem));
    const auto waiting = std::make_shared<http::Responder>(std::move(responder));
    auto begun = setup.test(*form, [waiting](const demo::PbxVerdict& verdict) {
        waiting->send(verdict_response(verdict));
    });
    if (!begun) return waiting->send(refuse(request, begun.error()));
    waiting->on_gone([&setup] { setup.cancel(); });
}

http::Response write(const demo::PbxSetup& setup, const http::Request& request) {
    http::Response problem;
    const auto form = form_of(request, problem);
    if (!form) return problem;
    const auto written = setup.write(*form);
    if (!written) return refuse(request, written.error());
    base::JsonWriter json;
    json.begin_object().field("config_file", written->config_file).key("password_file");
    written->password_file.empty() ? json.null() : json.value(written->password_file);
    json.field("command", written->command).field("replaced", written->has_replaced).end();
    return json_response(201, std::move(json));
}

}  // namespace

void Api::install_setup(http::Server& server) {
    server.route_later(
        "POST",
        "/api/v1/setup/pbx/test",
        [this](const http::Request& request, http::Responder responder) {
            test(*parts_.setup, request, std::move(responder));
        },
        {.answer_limit = demo::PbxSetup::kLimit + std::chrono::seconds(3), .scope = "admin"});
    server.route("POST",
                 "/api/v1/setup/pbx",
                 [this](const http::Request& request) { return write(*parts_.setup, request); },
                 {.scope = "admin"});
}

}  // namespace offhook::api
