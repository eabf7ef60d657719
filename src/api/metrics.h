#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connection/registry.h"
#include "model/account.h"
#include "model/call_directory.h"
#include "model/channel.h"
#include "model/event_counts.h"
#include "model/stats_snapshot.h"
#include "store/record_store.h"
#include "store/recordings.h"

namespace offhook::api {

/// The process's Prometheus metrics. Events are fed as they happen; what lives in calls and workers
/// is read at the scrape. Counters only rise: what a call counted is added up piece by piece and
/// stays after the call is gone. No label has a value from the network.
/// @thread control
class Metrics {
public:
    explicit Metrics(std::string_view version);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// Once for each call, when its 200 was sent.
    void on_call_answered(const model::CallInfo& call);
    /// Exactly once for each call that came in, answered or not, with its last stats and its end.
    void on_call_ended(const model::CallInfo& call);
    /// @param verb, result  words of a fixed set, as are those of the next two
    void on_bot_verb(std::string_view verb, std::string_view result);
    void on_bot_lost(std::string_view protocol, std::string_view why);
    void on_bot_back(double gap_s);
    /// Another AI takes the place of that of `call`: what it counted so far stays.
    void on_ai_left(const model::CallInfo& call);
    /// @param route a pattern of a fixed set
    void on_http(std::string_view route, int status, double seconds);

    /// What is read at a scrape.
    struct Readings {
        std::vector<model::CallInfo> calls{};  ///< live ones
        std::vector<model::AccountInfo> accounts{};
        std::vector<model::WorkerStats> workers{};
        bool draining = false;
        model::SignallingStats signalling{};
        std::uint64_t failed_ai_sessions = 0;  ///< total since the start
        std::vector<model::LatencyReading> ai_latencies{};
        std::vector<model::ChannelInfo> channels{};
        std::uint64_t late_mix_frames = 0;  ///< total since the start
        model::EventCounts events{};
        std::vector<connection::Entry> connections{};
        connection::Registry::Counters connection_counters{};
        store::RecordStore::Counters records{};
        store::Recordings::Counters recordings{};
    };
    /// Everything in Prometheus text format (version 0.0.4). Calls that have an end already are
    /// left out: they came, or come, by on_call_ended.
    [[nodiscard]] std::string scrape(const Readings& now);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::api
