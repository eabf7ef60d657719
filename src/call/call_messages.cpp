// Texts beside the sound: MESSAGE in and out, and what comes by INFO.

#include <algorithm>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"
#include "call/destination.h"
#include "call/number_mask.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallId;
using model::OrderRefusal;
using Why = OrderRefusal::Why;

namespace {

constexpr std::size_t kMaxBodyBytes = 16 * 1024;
constexpr std::size_t kMaxTypeBytes = 64;

OrderRefusal bad(const char* field, std::string detail) {
    return {Why::BadField, field, std::move(detail)};
}

// type "/" subtype, as RFC 2045 has it, without parameters.
bool is_content_type(const std::string& text) {
    const auto is_token = [](std::string_view token) {
        return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
        });
    };
    const std::size_t slash = text.find('/');
    return text.size() <= kMaxTypeBytes && slash != std::string::npos &&
           is_token(std::string_view(text).substr(0, slash)) &&
           is_token(std::string_view(text).substr(slash + 1));
}

}  // namespace

tl::expected<std::uint64_t, OrderRefusal> CallRegistry::send_message(model::MessageOrder order) {
    if (order.body.empty() || order.body.size() > kMaxBodyBytes)
        return tl::unexpected(bad("body", "body must be 1 to 16384 bytes"));
    if (!is_content_type(order.content_type)) {
        return tl::unexpected(
            bad("content_type", "content_type must be a type and subtype such as text/plain"));
    }
    if (auto refusal = check_headers(order.headers)) return tl::unexpected(*refusal);
    model::TextMessage message{.call = order.call,
                               .account = order.account,
                               .from = {},
                               .to = order.to,
                               .content_type = order.content_type,
                               .body = order.body,
                               .headers = order.headers};
    model::MessageRecord record;
    if (!order.call.empty()) {
        const auto found = answered_call(order.call);
        if (!found)
            return tl::unexpected(OrderRefusal{Why::Unavailable, "", found.error().message});
        const model::CallInfo& info = (*found)->info;
        message.account = info.account;
        record.from = info.to;
        record.to = info.from;
        if ((*found)->is_outbound()) std::swap(record.from, record.to);
    } else {
        const auto rules = account(order.account);
        if (!rules) {
            return tl::unexpected(
                bad("account", "there is no [[account]] \"" + order.account + "\""));
        }
        const auto destination = normal_destination(order.to, rules->domain);
        if (!destination)
            return tl::unexpected(bad("to", "to must be a number, a name or a SIP URI"));
        // Texts have a rate of their own: they must not use up that of calls.
        if (auto refusal = outbound_.admit(
                order.account + "/messages", rules->outbound, *destination, base::monotonic_ns())) {
            return tl::unexpected(*refusal);
        }
        message.to = *destination;
        record.from = rules->uri;
        record.to = *destination;
    }
    record.call = order.call;
    record.account = message.account;
    record.content_type = order.content_type;
    record.body = base::escape_untrusted(order.body, MessageLog::kBodyBytes);
    record.body_bytes = order.body.size();
    const std::uint64_t number = messages_.add(std::move(record));
    log::write(Level::Info,
               Mark::Call,
               "message.sending",
               order.call.text,
               "a text is sent",
               {{"message", number}, {"type", order.content_type}, {"bytes", order.body.size()}});
    const Call* inside = get(order.call);
    (inside ? via(*inside) : *signalling_).send_message(number, std::move(message));
    return number;
}

void CallRegistry::on_message_done(std::uint64_t tag, int status) {
    messages_.settle(tag, status);
    const model::MessageRecord* record = messages_.find(tag);
    const bool is_good = status >= 200 && status < 300;
    log::write(is_good ? Level::Info : Level::Warning,
               is_good ? Mark::Call : Mark::Warning,
               is_good ? "message.sent" : "message.failed",
               record ? record->call.text : std::string(),
               is_good ? "the text has arrived" : "the text was not taken",
               {{"message", tag}, {"status", status}});
}

// Its words are in the API only: a log is read by more people than a conversation is for.
void CallRegistry::on_message(model::TextMessage message) {
    model::MessageRecord record;
    record.is_inbound = true;
    record.call = message.call;
    record.account = message.account;
    record.from = base::escape_untrusted(message.from);
    record.to = base::escape_untrusted(message.to);
    record.content_type = base::escape_untrusted(message.content_type, kMaxTypeBytes);
    record.body = base::escape_untrusted(message.body, MessageLog::kBodyBytes);
    record.body_bytes = message.body.size();
    const std::string from = mask_numbers(record.from);
    const std::string type = record.content_type;
    const std::uint64_t number = messages_.add(std::move(record));
    log::write(
        Level::Info,
        Mark::Call,
        "message.received",
        message.call.text,
        "a text came",
        {{"message", number}, {"from", from}, {"type", type}, {"bytes", message.body.size()}});
}

void CallRegistry::on_info_digit(const CallId& id, char digit, unsigned duration_ms) {
    if (get(id)) on_digit(id.text, digit, duration_ms);
}

void CallRegistry::on_info(const CallId& id, std::string content_type, std::string body) {
    Call* call = get(id);
    if (!call || take_ringcentral_answer(*call, content_type, body)) return;
    log::write(
        Level::Info,
        Mark::Call,
        "call.info",
        id.text,
        "an INFO came whose body nobody here reads",
        {{"type", base::escape_untrusted(content_type, kMaxTypeBytes)}, {"bytes", body.size()}});
}

}  // namespace offhook::call
