#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "api/call_answers.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "diagnosis/diagnose.h"
#include "http/problem.h"
#include "stats/hop_ledger.h"

namespace offhook::api {
namespace {

using diagnosis::Finding;
using diagnosis::Severity;

/// The shape of the browser client's own diagnosis.
http::Response answer(const diagnosis::Facts& facts) {
    const std::vector<Finding> found = diagnosis::diagnose(facts);
    std::vector<std::string_view> fixes;
    base::JsonWriter json;
    json.begin_object()
        .field("healthy",
               std::none_of(
                   found.begin(),
                   found.end(),
                   [](const Finding& finding) { return finding.known.severity != Severity::Info; }))
        .key("issues")
        .begin_array();
    for (const Finding& finding : found) {
        json.begin_object()
            .field("code", finding.known.code)
            .field("severity", name_of(finding.known.severity))
            .field("cause", finding.known.cause)
            .field("evidence", finding.evidence)
            .field("fix", finding.known.fix)
            .field("symptom", finding.known.symptom)
            .key("hop");
        finding.hop.empty() ? json.null() : json.value(finding.hop);
        json.key("figures").begin_object();
        for (const auto& [name, value] : finding.figures) {
            json.key(name);
            // -1 stands for "not known" in the model; levels are below 0.
            value == -1 ? json.null() : json.value(value);
        }
        json.end().field("doc", "docs/debug-guide.md#" + std::string(finding.known.code)).end();
        if (std::find(fixes.begin(), fixes.end(), finding.known.fix) == fixes.end())
            fixes.push_back(finding.known.fix);
    }
    json.end().key("recommendations").begin_array();
    for (const std::string_view fix : fixes) json.value(fix);
    json.end().end();
    return json_response(200, std::move(json));
}

http::Response answer(const model::HopLedger& ledger) {
    base::JsonWriter json;
    json.begin_object().key("hops").begin_array();
    for (const model::HopFigures& hop : ledger.hops) {
        json.begin_object()
            .field("name", model::name_of(hop.hop))
            .field("packets", hop.packets)
            .field("ms", hop.ms)
            .key("since_last_ms");
        hop.since_last_ms < 0 ? json.null() : json.value(hop.since_last_ms);
        json.field("state", model::name_of(hop.state)).key("detail");
        hop.detail.empty() ? json.null() : json.value(hop.detail);
        json.end();
    }
    json.end().key("broken");
    ledger.broken ? json.value(model::name_of(*ledger.broken)) : json.null();
    json.end();
    return json_response(200, std::move(json));
}

/// What belongs to a call beside itself: where its sound stops, and how its worker fares.
void look_closer(diagnosis::Facts& facts, const ApiParts& parts) {
    if (!facts.call) return;
    const model::CallInfo& call = *facts.call;
    facts.hops = stats::hops_of(call, facts.now_ns);
    facts.gap_limit_ms = parts.gap_limit_ms;
    const auto& workers = call.leg == model::LegKind::Web ? parts.web_workers : parts.workers;
    if (!workers || call.ended_ns != 0) return;
    for (const model::WorkerStats& worker : workers())
        if (worker.index == call.worker) facts.worker = worker;
}

/// The channel and the member that a path means.
std::optional<diagnosis::Facts> facts_of_member(const http::Request& request,
                                                const ApiParts& parts) {
    if (parts.channels == nullptr) return std::nullopt;
    diagnosis::Facts facts{.now_ns = base::realtime_ns()};
    facts.channel = parts.channels->find(request.params.at("name"));
    if (!facts.channel) return std::nullopt;
    const std::string& id = request.params.at("id");
    const auto& members = facts.channel->members;
    const auto member = std::find_if(
        members.begin(), members.end(), [&](const auto& each) { return each.id == id; });
    if (member == members.end()) return std::nullopt;
    facts.member = *member;
    if (!member->call.empty()) facts.call = parts.calls.find(member->call);
    look_closer(facts, parts);
    return facts;
}

}  // namespace

void Api::install_diagnosis(http::Server& server) {
    server.route("GET",
                 "/api/v1/calls/{id}/diagnosis",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     auto call = id ? parts_.calls.find(*id) : std::nullopt;
                     if (!call) return no_such_call(request);
                     diagnosis::Facts facts{.now_ns = base::realtime_ns(), .call = std::move(call)};
                     look_closer(facts, parts_);
                     return answer(facts);
                 },
                 {.scope = "read"});
    server.route("GET",
                 "/api/v1/calls/{id}/hops",
                 [this](const http::Request& request) {
                     const auto id = id_of(request);
                     const auto call = id ? parts_.calls.find(*id) : std::nullopt;
                     if (!call) return no_such_call(request);
                     return answer(stats::hops_of(*call, base::realtime_ns()));
                 },
                 {.scope = "read"});
    server.route("GET",
                 "/api/v1/channels/{name}/members/{id}/diagnosis",
                 [this](const http::Request& request) {
                     const auto facts = facts_of_member(request, parts_);
                     if (facts) return answer(*facts);
                     return http::problem_response({404,
                                                    "not-found",
                                                    "There is no such member",
                                                    "no member of this channel has this id",
                                                    "GET /api/v1/channels/{name} lists them"},
                                                   request.path,
                                                   request.request_id);
                 },
                 {.scope = "read"});
}

}  // namespace offhook::api
