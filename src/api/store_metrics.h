#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "store/record_store.h"

namespace offhook::api {

/// The part of Metrics that is about call records.
/// @thread control
class StoreMetrics {
public:
    /// @param registry outlives this
    explicit StoreMetrics(prometheus::Registry& registry);

    void take(const store::RecordStore::Counters& now);

private:
    prometheus::Gauge& waiting_;
    prometheus::Gauge& commit_seconds_;
    prometheus::Family<prometheus::Counter>& records_;
    prometheus::Counter& failures_;
};

}  // namespace offhook::api
