#pragma once

#include <cstdint>
#include <string>

namespace offhook::base {

/// RFC 3339 in UTC with milliseconds: "2026-11-20T12:00:00.000Z". The one way a time leaves the
/// process (logs, API).
/// @param realtime_ns CLOCK_REALTIME, nanoseconds since the epoch
[[nodiscard]] std::string rfc3339_utc_ms(std::int64_t realtime_ns);

}  // namespace offhook::base
