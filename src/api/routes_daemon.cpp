// What is done with the daemon itself: how much it logs, and its going.

#include <array>
#include <utility>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/order_body.h"
#include "base/log.h"

namespace offhook::api {
namespace {

constexpr int kMaxDrainS = 86'400;
constexpr std::array<std::pair<std::string_view, log::Level>, 4> kLevels{
    {{"debug", log::Level::Debug},
     {"info", log::Level::Info},
     {"warning", log::Level::Warning},
     {"error", log::Level::Error}}};

http::Response log_level() {
    std::string_view now = kLevels.back().first;
    for (const auto& [name, level] : kLevels) {
        if (!log::enabled(level)) continue;
        now = name;
        break;
    }
    base::JsonWriter json;
    json.begin_object().field("level", now).end();
    return json_response(200, std::move(json));
}

http::Response set_log_level(const http::Request& request) {
    OrderBody body(request, {"level"});
    const std::string wanted = body.needed("level");
    if (body.problem()) return *body.problem();
    for (const auto& [name, level] : kLevels) {
        if (name != wanted) continue;
        log::set_level(level);
        log::write(log::Level::Warning,
                   log::Mark::System,
                   "system.log_level",
                   {},
                   "the log's level was changed by the API",
                   {{"level", name}, {"by", request.user}});
        return log_level();
    }
    return bad_value(request, "level is debug, info, warning or error", "level");
}

http::Response drain(const http::Request& request, const ApiParts& parts) {
    std::optional<int> timeout_s;
    if (!request.body.empty()) {
        OrderBody body(request, {"timeout_s"});
        timeout_s = body.whole("timeout_s");
        if (body.problem()) return *body.problem();
        if (timeout_s && (*timeout_s < 0 || *timeout_s > kMaxDrainS))
            return bad_value(request, "timeout_s must be 0 to 86400", "timeout_s");
    }
    parts.drain(timeout_s);
    base::JsonWriter json;
    json.begin_object().field("draining", true).field("calls", parts.calls.totals().active).end();
    return json_response(202, std::move(json));
}

}  // namespace

void Api::install_daemon(http::Server& server) {
    server.route("GET",
                 "/api/v1/log-level",
                 [](const http::Request&) { return log_level(); },
                 {.scope = "admin"});
    server.route("PUT", "/api/v1/log-level", set_log_level, {.scope = "admin"});
    if (!parts_.drain) return;
    server.route("POST",
                 "/api/v1/drain",
                 [this](const http::Request& request) { return drain(request, parts_); },
                 {.scope = "admin"});
}

}  // namespace offhook::api
