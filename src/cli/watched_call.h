#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offhook::cli {

/// What the live view shows of a call; read from one item of GET /api/v1/calls. Negative: not
/// known.
struct WatchedCall {
    std::string id, state, codec, last_source, end_reason;
    double duration_ms = 0;
    double since_last_sent_ms = -1, since_last_received_ms = -1, max_gap_ms = 0;
    double sent_level_dbov = -127, received_level_dbov = -127;
    std::uint64_t sent_packets = 0, received_packets = 0, lost_packets = 0;
};

/// What the live view shows of the daemon; read from GET /health.
struct WatchedDaemon {
    std::string status, version, summary;
    double uptime_s = 0;
    std::uint64_t active_calls = 0;  ///< all of them, also those beyond the page that is shown
};

/// Reads the JSON of GET /api/v1/calls; at most 500 calls. Members that are missing or of another
/// type keep their defaults: a daemon of another version is still watched.
/// @errors Malformed: not JSON, or no "items"
[[nodiscard]] base::Result<std::vector<WatchedCall>> parse_calls(std::string_view json);
/// Reads the JSON of GET /health. @errors Malformed
[[nodiscard]] base::Result<WatchedDaemon> parse_health(std::string_view json);

enum class Mood { Good, Odd, Bad };

/// One sentence about a call, and whether it is good, odd (worth a look) or bad (the promise is
/// broken now).
struct Verdict {
    Mood mood = Mood::Good;
    std::string sentence;
};
[[nodiscard]] Verdict judge(const WatchedCall& call);

}  // namespace offhook::cli
