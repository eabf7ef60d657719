// Texts: sent in a call or outside, and the last of those that came and went.

#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"
#include "base/timestamp.h"

namespace offhook::api {
namespace {

void write_message(base::JsonWriter& json, const model::MessageRecord& message) {
    json.begin_object().field("number", message.number);
    json.field("direction", message.is_inbound ? "inbound" : "outbound").key("call");
    message.call.empty() ? json.null() : json.value(message.call.text);
    json.field("account", message.account).field("from", message.from).field("to", message.to);
    json.field("content_type", message.content_type).field("body", message.body);
    json.field("body_bytes", message.body_bytes).key("status");
    message.status == 0 ? json.null() : json.value(message.status);
    json.field("at", base::rfc3339_utc_ms(message.at_ns)).end();
}

http::Response sent(const http::Request& request,
                    model::CallControl& control,
                    model::MessageOrder order) {
    const model::CallId call = order.call;
    const auto number = control.send_message(std::move(order));
    if (!number) return refuse(request, number.error());
    for (const model::MessageRecord& message : control.messages(call)) {
        if (message.number != *number) continue;
        base::JsonWriter json;
        write_message(json, message);
        return json_response(202, std::move(json));
    }
    return refuse(request, base::Error{base::ErrorCode::Internal, "the text is not kept", {}});
}

http::Response list(const model::CallControl& control, const model::CallId& call) {
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const model::MessageRecord& message : control.messages(call)) write_message(json, message);
    json.end().end();
    return json_response(200, std::move(json));
}

void read_text(OrderBody& body, model::MessageOrder& order) {
    order.body = body.needed("body");
    if (auto type = body.optional("content_type"); !type.empty())
        order.content_type = std::move(type);
    order.headers = body.texts("headers");
}

}  // namespace

void Api::install_messages(http::Server& server) {
    server.route("GET",
                 "/api/v1/messages",
                 [this](const http::Request& /*request*/) { return list(*parts_.control, {}); },
                 {.scope = "read"});
    server.route("POST",
                 "/api/v1/messages",
                 [this](const http::Request& request) {
                     OrderBody body(request, {"account", "to", "body", "content_type", "headers"});
                     model::MessageOrder order;
                     order.account = body.needed("account");
                     order.to = body.needed("to");
                     read_text(body, order);
                     if (body.problem()) return *body.problem();
                     return sent(request, *parts_.control, std::move(order));
                 },
                 {.scope = "operate"});
    server.route("GET",
                 "/api/v1/calls/{id}/messages",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     if (!id || !parts_.calls.find(*id)) return no_such_call(request);
                     return list(*parts_.control, *id);
                 },
                 {.scope = "read"});
    server.route("POST",
                 "/api/v1/calls/{id}/message",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     if (!id || !parts_.calls.find(*id)) return no_such_call(request);
                     OrderBody body(request, {"body", "content_type", "headers"});
                     model::MessageOrder order;
                     order.call = *id;
                     read_text(body, order);
                     if (body.problem()) return *body.problem();
                     return sent(request, *parts_.control, std::move(order));
                 },
                 {.scope = "operate"});
}

}  // namespace offhook::api
