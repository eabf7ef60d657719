#include "api/api.h"

namespace offhook::api {
namespace {

std::vector<model::WorkerStats> all_workers(const ApiParts& parts) {
    std::vector<model::WorkerStats> all = parts.workers();
    if (!parts.web_workers) return all;
    for (const model::WorkerStats& worker : parts.web_workers()) all.push_back(worker);
    return all;
}

}  // namespace

void Api::install_metrics(http::Server& server) {
    server.route(
        "GET",
        "/metrics",
        [this](const http::Request&) {
            return http::Response{
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                parts_.metrics.scrape(
                    {.calls = parts_.calls.calls(false),
                     .accounts = parts_.accounts == nullptr ? std::vector<model::AccountInfo>()
                                                            : parts_.accounts->accounts(),
                     .workers = all_workers(parts_),
                     .draining = parts_.draining(),
                     .signalling =
                         parts_.signalling ? parts_.signalling() : model::SignallingStats{},
                     .failed_ai_sessions =
                         parts_.failed_ai_sessions ? parts_.failed_ai_sessions() : 0,
                     .ai_latencies = parts_.ai_latencies ? parts_.ai_latencies()
                                                         : std::vector<model::LatencyReading>(),
                     .channels = parts_.channels == nullptr ? std::vector<model::ChannelInfo>()
                                                            : parts_.channels->channels(),
                     .late_mix_frames = parts_.late_mix_frames ? parts_.late_mix_frames() : 0,
                     .events = parts_.event_counts ? parts_.event_counts() : model::EventCounts(),
                     .connections = parts_.connections == nullptr
                                        ? std::vector<connection::Entry>()
                                        : parts_.connections->connections(),
                     .connection_counters = parts_.connections == nullptr
                                                ? connection::Registry::Counters{}
                                                : parts_.connections->counters(),
                     .records = parts_.records == nullptr ? store::RecordStore::Counters{}
                                                          : parts_.records->counters(),
                     .recordings = parts_.recordings == nullptr ? store::Recordings::Counters{}
                                                                : parts_.recordings->counters()}),
                {}};
        },
        {.scope = "read"});
}

}  // namespace offhook::api
