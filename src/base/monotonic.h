#pragma once

#include <cstdint>

namespace offhook::base {

inline constexpr std::int64_t kNsPerUs = 1'000;
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerS = 1'000'000'000;

/// CLOCK_MONOTONIC in nanoseconds. The one clock of the media path; wall-clock steps never reach
/// it.
/// @thread any, ~20 ns
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

/// CLOCK_REALTIME in nanoseconds since the epoch, for logs, RTCP NTP stamps and API times only.
[[nodiscard]] std::int64_t realtime_ns() noexcept;

}  // namespace offhook::base
