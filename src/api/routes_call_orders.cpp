// What is done with calls: placed, held, resumed, sent elsewhere.

#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"

namespace offhook::api {
namespace {

http::Response place(const http::Request& request,
                     model::CallControl& control,
                     const model::CallDirectory& directory) {
    OrderBody body(request, {"account", "to", "ai", "route", "headers", "ring_timeout_s"});
    model::PlaceOrder order;
    order.account = body.needed("account");
    order.to = body.needed("to");
    order.ai = body.optional("ai");
    order.route = body.optional("route");
    order.headers = body.texts("headers");
    order.ring_timeout_s = body.whole("ring_timeout_s");
    if (body.problem()) return *body.problem();
    order.idempotency_key = request.idempotency_key;
    order.who = "api " + request.remote;
    const auto placed = control.place(std::move(order));
    if (!placed) return refuse(request, placed.error());
    const auto call = directory.find(placed->id);
    if (!call) {
        return refuse(request,
                      base::Error{base::ErrorCode::Conflict,
                                  "the call of this Idempotency-Key, " + placed->id.text +
                                      ", is over and no more among the last 1,000",
                                  {}});
    }
    http::Response response = call_response(202, *call);
    response.headers.emplace_back("Location", "/api/v1/calls/" + placed->id.text);
    if (placed->is_repeat) response.headers.emplace_back("Idempotency-Replayed", "true");
    return response;
}

http::Response told(const http::Request& request,
                    const model::CallDirectory& directory,
                    const model::CallId& id,
                    const base::Result<void>& done) {
    if (!done) return refuse(request, done.error());
    const auto call = directory.find(id);
    return call ? call_response(202, *call) : no_such_call(request);
}

http::Response transfer(const http::Request& request,
                        model::CallControl& control,
                        const model::CallDirectory& directory) {
    const auto id = id_of(request);
    if (!id || !directory.find(*id)) return no_such_call(request);
    OrderBody body(request, {"target", "call"});
    model::TransferOrder order;
    order.target = body.optional("target");
    order.call.text = body.optional("call");
    if (body.problem()) return *body.problem();
    if (order.target.empty() == order.call.empty())
        return bad_value(request, "give either target or call", "target");
    return told(request, directory, *id, control.transfer(*id, std::move(order)));
}

http::Response ringcentral(const http::Request& request,
                           model::CallControl& control,
                           const model::CallDirectory& directory) {
    const auto id = id_of(request);
    if (!id || !directory.find(*id)) return no_such_call(request);
    model::RingCentralOrder order;
    order.command = request.params.at("command");
    order.who = "api " + request.remote;
    if (!request.body.empty()) {
        OrderBody body(request, {"to", "text", "target"});
        order.to = body.optional("to");
        order.text = body.optional("text");
        order.target = body.optional("target");
        if (body.problem()) return *body.problem();
    }
    return told(request, directory, *id, control.ringcentral(*id, std::move(order)));
}

}  // namespace

void Api::install_call_orders(http::Server& server) {
    server.route("POST",
                 "/api/v1/calls",
                 [this](const http::Request& request) {
                     return place(request, *parts_.control, parts_.calls);
                 },
                 {.scope = "operate"});
    server.route("POST",
                 "/api/v1/calls/{id}/hold",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     if (!id || !parts_.calls.find(*id)) return no_such_call(request);
                     return told(request, parts_.calls, *id, parts_.control->hold(*id));
                 },
                 {.scope = "operate"});
    server.route("POST",
                 "/api/v1/calls/{id}/resume",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     if (!id || !parts_.calls.find(*id)) return no_such_call(request);
                     return told(request, parts_.calls, *id, parts_.control->resume(*id));
                 },
                 {.scope = "operate"});
    server.route("POST",
                 "/api/v1/calls/{id}/transfer",
                 [this](const http::Request& request) {
                     return transfer(request, *parts_.control, parts_.calls);
                 },
                 {.scope = "operate"});
    server.route("POST",
                 "/api/v1/calls/{id}/ringcentral/{command}",
                 [this](const http::Request& request) {
                     return ringcentral(request, *parts_.control, parts_.calls);
                 },
                 {.scope = "operate"});
}

}  // namespace offhook::api
