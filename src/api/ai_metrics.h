#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/call_directory.h"

namespace offhook::api {

/// The part of Metrics that is about bots.
/// @thread control
class AiMetrics {
public:
    /// @param registry outlives this
    explicit AiMetrics(prometheus::Registry& registry);

    void on_verb(std::string_view verb, std::string_view result);
    void on_lost(std::string_view protocol, std::string_view why);
    void on_back(double gap_s);

    /// Before the calls of a scrape are taken.
    void begin_scrape();
    /// A live call at a scrape. @param is_live  false: its last figures
    void take(const model::CallInfo& call, bool is_live);
    /// The AI of the call leaves: what it counts next begins at 0.
    void forget(const model::CallId& id) { seen_.erase(id); }
    void take(const std::vector<model::LatencyReading>& latencies);

private:
    /// What of a call's AI is in the counters already.
    struct Seen {
        std::uint64_t connections = 0, unsent_frames = 0, bad_messages = 0;
        std::uint64_t barge_ins = 0, taken_back = 0;
        double played_ms = 0, cleared_ms = 0, overflowed_ms = 0;
    };
    struct Latency {
        prometheus::Histogram* histogram = nullptr;
        std::vector<std::uint64_t> buckets{};
        double sum_s = 0;
    };
    Latency& latency(const model::LatencyReading& reading);

    prometheus::Registry& registry_;
    prometheus::Family<prometheus::Gauge>& calls_;
    prometheus::Family<prometheus::Counter>&connections_, &losses_, &sound_, &verbs_, &barge_ins_;
    prometheus::Family<prometheus::Histogram>& turn_parts_;
    prometheus::Counter &unsent_frames_, &bad_messages_;
    prometheus::Histogram& reconnect_;
    std::map<std::pair<std::string, std::string>, double> states_;  ///< of this scrape
    std::map<std::string, Latency> latencies_;                      ///< by step
    std::unordered_map<model::CallId, Seen> seen_;
};

}  // namespace offhook::api
