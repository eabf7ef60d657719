#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <vector>

#include "model/channel.h"

namespace offhook::api {

/// The part of Metrics that is about voice channels.
/// @thread control
class ChannelMetrics {
public:
    /// @param registry outlives this
    explicit ChannelMetrics(prometheus::Registry& registry);

    /// @param late_frames  total since the start
    void take(const std::vector<model::ChannelInfo>& channels, std::uint64_t late_frames);

private:
    prometheus::Gauge& channels_;
    prometheus::Family<prometheus::Gauge>& members_;
    prometheus::Counter& late_frames_;
};

}  // namespace offhook::api
