#include "signalling/sip/text_messages.h"

#include "signalling/sip/call_facts.h"
#include "signalling/sip/header_rules.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxBodyBytes = 16 * 1024;

bool is_media_type(const std::string& type) {
    return type.size() <= 256 && type.find('/') != std::string::npos && single_line(type) == type;
}

}  // namespace

void TextMessages::on_message(const SipCall* call, const Request& request) {
    const osip_message_t& message = request.message;
    const std::string_view body = body_of(message);
    if (body.size() > kMaxBodyBytes) return core_.respond(request, 413);
    model::TextMessage text;
    if (call != nullptr) text.call = call->id;
    text.account =
        call != nullptr ? call->dialog.account : std::string(request.received.flow->account());
    text.from = text_of(message.from->url).substr(0, 256);
    text.to = text_of(message.to->url).substr(0, 256);
    if (const std::string type = content_type_of(message); !type.empty()) text.content_type = type;
    text.body = body;
    text.headers = kept_headers(message);
    core_.respond(request, 200);
    core_.post(
        [text = std::move(text)](model::SignallingEvents& events) { events.on_message(text); });
}

void TextMessages::done(std::uint64_t tag, int status) {
    core_.post(
        [tag, status](model::SignallingEvents& events) { events.on_message_done(tag, status); });
}

RequestSender::OnReply TextMessages::reporter(std::uint64_t tag) {
    return [this, tag](const Reply& reply) {
        if (reply.is_final()) done(tag, reply.status);
    };
}

void TextMessages::send(std::uint64_t tag, const model::TextMessage& message) {
    if (message.body.size() > kMaxBodyBytes) return done(tag, 413);
    if (!check_headers(message.headers) || !is_media_type(message.content_type))
        return done(tag, 400);
    if (message.call.empty()) return send_outside(tag, message);
    SipCall* call = calls_.find(message.call);
    if (call == nullptr || !call->is_up()) return done(tag, 481);
    send_in_call(*call, tag, message);
}

void TextMessages::send_in_call(SipCall& call,
                                std::uint64_t tag,
                                const model::TextMessage& message) {
    const Dialog::Content content{
        .headers = message.headers, .content_type = message.content_type, .body = message.body};
    if (!calls_.send(call, "MESSAGE", content, reporter(tag))) done(tag, 400);
}

void TextMessages::send_outside(std::uint64_t tag, const model::TextMessage& message) {
    AccountPort* account = core_.accounts().find(message.account);
    const auto path = account == nullptr ? std::nullopt : account->path();
    if (!path || !path->flow->is_open()) return done(tag, 503);
    const auto target = target_uri(message.to, account->domain());
    if (!target) return done(tag, 400);
    RequestText text;
    text.method = "MESSAGE";
    text.request_uri = *target;
    text.via = core_.paths().via_for(*path->flow);
    text.routes = account->routes();
    text.from = account->identity() + ";tag=" + random_token();
    text.to = "<" + *target + ">";
    text.call_id = random_token() + random_token();
    text.headers = message.headers;
    text.headers.emplace_back("User-Agent", core_.settings().user_agent);
    text.content_type = message.content_type;
    text.body = message.body;
    auto request = make_request(text);
    if (!request) return done(tag, 400);
    core_.sender().send(std::move(*request), *path, message.account, nullptr, reporter(tag));
}

}  // namespace offhook::signalling::sip
