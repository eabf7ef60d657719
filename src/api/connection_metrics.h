#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <vector>

#include "connection/registry.h"

namespace offhook::api {

/// The part of Metrics that is about WebSockets.
/// @thread control
class ConnectionMetrics {
public:
    /// @param registry outlives this
    explicit ConnectionMetrics(prometheus::Registry& registry);

    /// At a scrape.
    void take(const std::vector<connection::Entry>& connections,
              const connection::Registry::Counters& counters);

private:
    prometheus::Family<prometheus::Gauge>& now_;
    prometheus::Family<prometheus::Counter>&closed_, &refused_;
    prometheus::Counter &opened_, &replaced_;
};

}  // namespace offhook::api
