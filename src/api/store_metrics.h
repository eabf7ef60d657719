#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "store/record_store.h"
#include "store/recordings.h"

namespace offhook::api {

/// The part of Metrics that is about call records and recordings.
/// @thread control
class StoreMetrics {
public:
    /// @param registry outlives this
    explicit StoreMetrics(prometheus::Registry& registry);

    void take(const store::RecordStore::Counters& now,
              const store::Recordings::Counters& recordings);

private:
    prometheus::Gauge& waiting_;
    prometheus::Gauge& commit_seconds_;
    prometheus::Family<prometheus::Counter>& records_;
    prometheus::Counter& failures_;
    prometheus::Gauge& recordings_active_;
    prometheus::Counter& recordings_;
    prometheus::Counter& recordings_failed_;
    prometheus::Counter& recording_lost_frames_;
};

}  // namespace offhook::api
