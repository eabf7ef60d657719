#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "model/event_counts.h"

namespace offhook::api {

/// The part of Metrics that is about events and where they go.
/// @thread control
class EventMetrics {
public:
    /// @param registry outlives this
    explicit EventMetrics(prometheus::Registry& registry);

    void take(const model::EventCounts& counts);

private:
    prometheus::Counter& numbered_;
    prometheus::Family<prometheus::Counter>& dropped_;
    prometheus::Counter &delivered_, &failed_, &spans_;
};

}  // namespace offhook::api
