#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace offhook::model {

/// What became of events since the start, for metrics. Sinks are of a fixed set: events, reader,
/// webhook, file, otlp.
struct EventCounts {
    std::uint64_t numbered = 0;
    std::vector<std::pair<std::string, std::uint64_t>> dropped{};  ///< by sink
    std::uint64_t webhook_delivered = 0, webhook_failed = 0;       ///< tries
    std::uint64_t spans_sent = 0;
};

}  // namespace offhook::model
