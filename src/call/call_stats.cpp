// What the stats room keeps of calls, and shows of them.

#include "base/monotonic.h"
#include "call/call_registry.h"

namespace offhook::call {

using model::CallId;

void CallRegistry::sample(Call& call, const model::LegStats& stats, std::int64_t now_ns) {
    const bool has_way = !call.is_web() || WebMedia::is_connected(call);
    call.record->sample(stats,
                        {.now_ns = now_ns,
                         .realtime_ns = base::realtime_ns(),
                         .gap_ns = call.leg->counters().take_gap_ns(),
                         .is_sound_due = call.is_sound_expected() && !stats.is_paused,
                         .is_oneway = call.info.is_oneway,
                         .is_sending = has_way && !call.is_held()});
}

std::optional<stats::LegFacts> CallRegistry::leg(const CallId& id) const {
    const Call* call = get(id);
    if (!call || !call->is_agreed) return std::nullopt;
    stats::LegFacts facts{
        .kind = call->info.leg,
        .chosen = call->leg->chosen(),
        .stats = call->leg->stats(call->answered_ns, base::monotonic_ns()),
        .path = call->leg->path(),
        .is_sending = call->is_answered() && !call->is_held(),
        .realtime_ns = base::realtime_ns(),
    };
    // Behind a NAT the description names another address than the socket's.
    const std::string& said = call->phone.address.advertise;
    if (!call->is_web() && !facts.path.local.empty() && !said.empty()) {
        model::PathCandidate& local = facts.path.local.front();
        if (local.address != said) {
            local.related_address = std::exchange(local.address, said);
            local.related_port = local.port;
            local.type = model::PathCandidate::Type::ServerReflexive;
        }
    }
    return facts;
}

std::optional<std::vector<stats::HistoryRow>> CallRegistry::history(
    const CallId& id, stats::History::Resolution resolution) const {
    const Call* call = get(id);
    if (!call || !call->record) return std::nullopt;
    return call->record->history().rows(resolution);
}

}  // namespace offhook::call
