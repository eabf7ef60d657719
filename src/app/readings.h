#pragma once

#include <vector>

#include "ai/ai_runtime.h"
#include "call/call_registry.h"
#include "config/config.h"
#include "media/stun_client.h"
#include "media/worker_pool.h"
#include "model/ai_info.h"
#include "model/call_directory.h"
#include "model/stats_snapshot.h"
#include "signalling/sip/sip_stack.h"

namespace offhook::app {

/// What the sound of all calls depends on.
struct MediaRooms {
    const config::Config& config;
    const call::CallRegistry& calls;
    const media::WorkerPool& workers;
    const media::WorkerPool* web_workers = nullptr;  ///< null: no web legs
    const media::StunClient* stun = nullptr;         ///< null without `[rtp] stun`

    [[nodiscard]] std::vector<model::WorkerStats> web_worker_stats() const {
        return web_workers != nullptr ? web_workers->stats() : std::vector<model::WorkerStats>();
    }
};

/// The check `media` of /health: how late workers are, and what their threads may not do.
/// @thread control, as all below
[[nodiscard]] model::HealthCheck media_health(const MediaRooms& rooms);
/// For /livez: Failed when a worker has not ticked for 10 s.
[[nodiscard]] model::HealthCheck liveness(const MediaRooms& rooms);

[[nodiscard]] model::SignallingStats signalling_stats(const signalling::sip::SipStack& sip_stack);
[[nodiscard]] std::vector<model::LatencyReading> ai_latencies(const ai::AiRuntime& ai);

}  // namespace offhook::app
