#include "app/readings.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/monotonic.h"

namespace offhook::app {
namespace {

constexpr std::int64_t kStuckNs = 10 * base::kNsPerS;

// Beside the figures of phone legs, in the same check.
void add_web_health(model::HealthCheck& check, const MediaRooms& rooms) {
    const auto workers = rooms.web_worker_stats();
    double p99_ms = 0;
    for (const auto& worker : workers) p99_ms = std::max(p99_ms, worker.tick_p99_ms);
    std::int64_t legs = 0;
    std::int64_t connected = 0;
    std::int64_t lost = 0;
    for (const model::CallInfo& call : rooms.calls.calls(false)) {
        if (call.leg != model::LegKind::Web) continue;
        ++legs;
        if (call.web.is_connected) ++connected;
        if (call.web.is_lost) ++lost;
    }
    check.figures.insert(check.figures.end(),
                         {{"web_workers", static_cast<std::int64_t>(workers.size())},
                          {"web_tick_p99_ms", p99_ms},
                          {"web_legs", legs},
                          {"web_legs_connected", connected},
                          {"web_legs_lost", lost}});
    if (rooms.calls.web_overload().empty()) return;
    check.status = model::HealthCheck::Status::Degraded;
    check.detail += "; new web calls are refused: " + rooms.calls.web_overload();
}

}  // namespace

model::HealthCheck media_health(const MediaRooms& rooms) {
    model::HealthCheck check;
    check.status = model::HealthCheck::Status::Ok;
    const auto all = rooms.workers.stats();
    double p99_ms = 0;
    for (const auto& worker : all) p99_ms = std::max(p99_ms, worker.tick_p99_ms);
    char text[64];
    std::snprintf(text, sizeof text, "tick p99 %.1f ms", p99_ms);
    check.detail = text;
    const bool is_late = p99_ms > rooms.config.admission.tick_p99_ms;
    const bool lacks_realtime =
        rooms.config.media.realtime &&
        std::any_of(all.begin(), all.end(), [](const auto& worker) { return !worker.is_realtime; });
    if (is_late) check.detail += "; the machine is overloaded: fewer calls, or more cores";
    if (lacks_realtime) {
        check.detail +=
            "; media workers run without SCHED_FIFO: give the process CAP_SYS_NICE or "
            "LimitRTPRIO=10";
    }
    if (is_late || lacks_realtime) check.status = model::HealthCheck::Status::Degraded;
    add_web_health(check, rooms);
    if (rooms.stun == nullptr) return check;
    const model::HealthCheck stun = rooms.stun->health();
    check.detail += "; " + stun.detail;
    if (stun.status != model::HealthCheck::Status::Ok) check.status = stun.status;
    for (const auto& [name, value] : stun.figures)
        check.figures.emplace_back("stun_" + name, value);
    return check;
}

model::HealthCheck liveness(const MediaRooms& rooms) {
    const std::int64_t now_ns = base::monotonic_ns();
    if (rooms.workers.is_responsive(now_ns, kStuckNs) &&
        (rooms.web_workers == nullptr || rooms.web_workers->is_responsive(now_ns, kStuckNs))) {
        return {model::HealthCheck::Status::Ok, "every media worker ticks", {}};
    }
    return {model::HealthCheck::Status::Failed,
            "a media worker has not ticked for 10 s: restart the daemon",
            {}};
}

model::SignallingStats signalling_stats(const signalling::sip::SipStack& sip_stack) {
    const signalling::sip::SipStats sip = sip_stack.counters();
    return {.malformed = sip.malformed,
            .refused_sources = sip.refused_sources,
            .retransmissions = sip.retransmissions,
            .dropped = sip.dropped,
            .requests = sip.requests,
            .ack_timeouts = sip.ack_timeouts,
            .dialogs = sip.dialogs,
            .transactions = sip.transactions,
            .refused_invites = sip.refused_invites};
}

std::vector<model::LatencyReading> ai_latencies(const ai::AiRuntime& ai) {
    const ai::Latencies& all = ai.latencies();
    std::vector<model::LatencyReading> readings;
    for (const auto& [step, histogram] : {std::pair{"caller-to-socket", &all.caller_to_socket},
                                          std::pair{"socket-to-wire", &all.socket_to_wire},
                                          std::pair{"turn", &all.turn},
                                          std::pair{"turn-network", &all.turn_network},
                                          std::pair{"turn-bot", &all.turn_bot},
                                          std::pair{"turn-playout", &all.turn_playout}}) {
        const ai::LatencyHistogram::Snapshot now = histogram->snapshot();
        readings.push_back(
            {.step = step,
             .bounds_s = {histogram->bounds_s().begin(), histogram->bounds_s().end()},
             .buckets = {now.buckets.begin(), now.buckets.end()},
             .sum_s = now.sum_s});
    }
    return readings;
}

}  // namespace offhook::app
