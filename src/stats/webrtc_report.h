#pragma once

#include "base/json_writer.h"
#include "stats/leg_directory.h"

namespace offhook::stats {

/// Writes the array of W3C statistics objects ("Identifiers for WebRTC's Statistics API") of one
/// leg, with its names and units: seconds, bytes, milliseconds since 1970 for times. A member that
/// is not known is absent. docs/stats.md says of each where it comes from.
void write_webrtc_stats(base::JsonWriter& json, const LegFacts& leg);

}  // namespace offhook::stats
