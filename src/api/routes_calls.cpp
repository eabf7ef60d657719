#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/call_json.h"
#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "glib/json_body.h"
#include "http/problem.h"

namespace offhook::api {
namespace {

constexpr int kDefaultLimit = 100;
constexpr int kMaxLimit = 500;
constexpr std::size_t kMaxDigits = 64;

/// Position in the list, which is ordered by creation: stays good when the call it names is gone.
struct Cursor {
    std::int64_t created_ns = 0;
    std::string id;

    static Cursor of(const model::CallInfo& call) { return {call.created_ns, call.id.text}; }
    bool operator<(const Cursor& other) const {
        return std::tie(created_ns, id) < std::tie(other.created_ns, other.id);
    }
    [[nodiscard]] std::string text() const { return std::to_string(created_ns) + "." + id; }

    static std::optional<Cursor> parse(const std::string& text) {
        Cursor cursor;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, cursor.created_ns);
        if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '.') return std::nullopt;
        cursor.id.assign(read.ptr + 1, end);
        return cursor;
    }
};

std::optional<int> limit_of(const std::string& text) {
    int limit = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, limit);
    if (read.ec != std::errc{} || read.ptr != end || limit < 1 || limit > kMaxLimit)
        return std::nullopt;
    return limit;
}

bool is_ended(const model::CallInfo& call) {
    return call.state == model::CallState::Ended;
}

http::Response list_calls(const http::Request& request, const model::CallDirectory& directory) {
    const auto query = [&](const char* name) -> const std::string* {
        const auto found = request.query.find(name);
        return found == request.query.end() ? nullptr : &found->second;
    };
    std::string state = "live";
    if (const std::string* given = query("state")) state = *given;
    if (state != "live" && state != "ended" && state != "all") {
        return bad_value(request, "state must be live, ended or all");
    }
    int limit = kDefaultLimit;
    if (const std::string* given = query("limit")) {
        const auto parsed = limit_of(*given);
        if (!parsed) return bad_value(request, "limit must be 1 to 500");
        limit = *parsed;
    }
    std::optional<Cursor> after;
    if (const std::string* given = query("cursor")) {
        after = Cursor::parse(*given);
        if (!after) return bad_value(request, "cursor is not one that this API gave");
    }

    std::vector<model::CallInfo> calls = directory.calls(state != "live");
    std::erase_if(calls, [&](const model::CallInfo& call) {
        const bool wrong_state = state != "all" && is_ended(call) != (state == "ended");
        return wrong_state || (after && !(*after < Cursor::of(call)));
    });
    std::sort(calls.begin(), calls.end(), [](const model::CallInfo& a, const model::CallInfo& b) {
        return Cursor::of(a) < Cursor::of(b);
    });

    const std::size_t shown = std::min(calls.size(), static_cast<std::size_t>(limit));
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < shown; ++i) write_call(json, calls[i]);
    json.end().key("next");
    shown < calls.size() ? json.value(Cursor::of(calls[shown - 1]).text()) : json.null();
    json.end();
    return json_response(200, std::move(json));
}

http::Response hang_up(const http::Request& request, model::CallDirectory& directory) {
    const auto id = id_of(request);
    if (!id || !directory.find(*id)) return no_such_call(request);
    const auto done = directory.hangup(*id, "api " + request.remote);
    // Ending already, or ended: what was asked for is so.
    if (!done && done.error().code != base::ErrorCode::Conflict &&
        done.error().code != base::ErrorCode::NotFound) {
        return refuse(request, done.error());
    }
    const auto call = directory.find(*id);
    return call ? call_response(202, *call) : no_such_call(request);
}

http::Response send_digits(const http::Request& request, model::CallDirectory& directory) {
    const auto id = id_of(request);
    if (!id || !directory.find(*id)) return no_such_call(request);
    const auto body = glib::JsonBody::parse(request.body);
    if (!body) return refuse(request, body.error());
    const auto digits = body->text("digits");
    if (!digits || digits->empty() || digits->size() > kMaxDigits ||
        digits->find_first_not_of("0123456789*#ABCD") != std::string::npos) {
        return bad_value(request, "digits must be a text of 1 to 64 out of 0-9 * # A-D");
    }
    if (const auto sent = directory.send_dtmf(*id, *digits); !sent)
        return refuse(request, sent.error());
    const auto call = directory.find(*id);
    return call ? call_response(202, *call) : no_such_call(request);
}

}  // namespace

void Api::install_calls(http::Server& server) {
    server.route("GET",
                 "/api/v1/calls",
                 [this](const http::Request& request) { return list_calls(request, parts_.calls); },
                 {.scope = "read"});
    server.route("GET",
                 "/api/v1/calls/{id}",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     const auto call = id ? parts_.calls.find(*id) : std::nullopt;
                     return call ? call_response(200, *call) : no_such_call(request);
                 },
                 {.scope = "read"});
    server.route("GET",
                 "/api/v1/calls/{id}/stats",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     const auto call = id ? parts_.calls.find(*id) : std::nullopt;
                     if (!call) return no_such_call(request);
                     base::JsonWriter json;
                     json.begin_object()
                         .field("id", call->id.text)
                         .field("state", model::name_of(call->state));
                     json.field("at", base::rfc3339_utc_ms(base::realtime_ns())).key("stats");
                     write_stats(json, call->stats);
                     json.end();
                     return json_response(200, std::move(json));
                 },
                 {.scope = "read"});
    server.route("POST",
                 "/api/v1/calls/{id}/hangup",
                 [this](const http::Request& request) { return hang_up(request, parts_.calls); },
                 {.scope = "operate"});
    server.route(
        "POST",
        "/api/v1/calls/{id}/dtmf",
        [this](const http::Request& request) { return send_digits(request, parts_.calls); },
        {.scope = "operate"});
}

}  // namespace offhook::api
