// The first run: what runs, and faults on purpose. Without demo mode there is nothing here.

#include <charconv>
#include <chrono>
#include <cmath>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"
#include "demo/demo.h"

namespace offhook::api {
namespace {

const http::RouteRules kRead{.scope = "read"};
const http::RouteRules kOperate{.scope = "operate"};
constexpr int kDefaultLossSeconds = 20;

http::Response status_response(int status_code, const ApiParts& parts) {
    const demo::Demo::Status now = parts.demo->status();
    base::JsonWriter json;
    json.begin_object().key("bot").begin_object();
    json.field("configured", now.bot.is_configured).field("running", now.bot.is_running);
    json.key("pid");
    now.bot.pid == 0 ? json.null() : json.value(now.bot.pid);
    json.field("restarts", now.bot.restarts).field("next_start_ms", now.bot.next_start_ms).end();
    json.key("caller")
        .begin_object()
        .field("calling", now.caller.is_calling)
        .field("repeats", now.caller.repeats)
        .field("calls", now.caller.calls)
        .field("next_call_ms", now.caller.next_call_ms)
        .end();
    json.key("drop")
        .begin_object()
        .field("share", now.loss_share)
        .field("left_ms", now.loss_left_ms)
        .end();
    json.field("endpoint", "demo").field("setup", parts.setup != nullptr).end();
    return json_response(status_code, std::move(json));
}

std::optional<std::uint64_t> number_of(const std::string& text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string in_query(const http::Request& request, const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

http::Response transcript_response(const http::Request& request, const demo::Transcript& all) {
    const std::string given = in_query(request, "after");
    const auto after = number_of(given.empty() ? "0" : given);
    if (!after) return bad_value(request, "after is a number that an answer before had", "after");
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const auto& line : all.after(*after, in_query(request, "call"))) {
        json.begin_object()
            .field("number", line.number)
            .field("time", line.time)
            .field("call", line.call)
            .field("event", line.event)
            .field("words", line.words)
            .end();
    }
    json.end().field("last", all.last()).end();
    return json_response(200, std::move(json));
}

}  // namespace

void Api::install_demo(http::Server& server) {
    server.route(
        "GET",
        "/api/v1/demo",
        [this](const http::Request&) { return status_response(200, parts_); },
        kRead);
    server.route(
        "GET",
        "/api/v1/demo/transcript",
        [this](const http::Request& request) {
            return transcript_response(request, parts_.demo->transcript());
        },
        kRead);
    server.route(
        "POST",
        "/api/v1/demo/kill-ai",
        [this](const http::Request& request) {
            if (auto done = parts_.demo->kill_bot(); !done) return refuse(request, done.error());
            return status_response(202, parts_);
        },
        kOperate);
    server.route(
        "POST",
        "/api/v1/demo/calls",
        [this](const http::Request& request) {
            OrderBody body(request, {"repeats"});
            const bool repeats = body.boolean("repeats").value_or(false);
            if (body.problem()) return *body.problem();
            if (auto done = parts_.demo->call(repeats); !done) return refuse(request, done.error());
            return status_response(202, parts_);
        },
        kOperate);
    server.route(
        "DELETE",
        "/api/v1/demo/calls",
        [this](const http::Request&) {
            parts_.demo->end_calls();
            return status_response(202, parts_);
        },
        kOperate);
    server.route(
        "POST",
        "/api/v1/demo/drop",
        [this](const http::Request& request) {
            OrderBody body(request, {"share", "seconds"});
            const double share = body.number("share");
            const int seconds = body.whole("seconds").value_or(kDefaultLossSeconds);
            if (body.problem()) return *body.problem();
            if (!(share >= 0 && share <= 1)) return bad_value(request, "share is 0 to 1", "share");
            if (seconds < 0 || seconds > demo::Demo::kMaxLossTime.count())
                return bad_value(request, "seconds is 0 to 300", "seconds");
            parts_.demo->drop(share, std::chrono::seconds(seconds));
            return status_response(202, parts_);
        },
        kOperate);
}

}  // namespace offhook::api
