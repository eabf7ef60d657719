#pragma once

#include <cstdint>

#include "model/call_directory.h"
#include "model/hop_ledger.h"

namespace offhook::stats {

/// From which times on a hop that should pass sound is broken. Milliseconds.
namespace hop_limit {
inline constexpr double kBeginMs = 2'500;   ///< sound may take so long to begin
inline constexpr double kCallerMs = 2'000;  ///< without a packet of the caller (`call.oneway`: 3 s)
inline constexpr double kPausedMs = 15'000;    ///< the same in a pause that the caller announced
inline constexpr double kInsideMs = 1'000;     ///< between two hops of our own
inline constexpr double kLineMs = 500;         ///< without a frame, or a packet of ours
inline constexpr double kAiMs = 2'500;         ///< an AI may take so long to come
inline constexpr double kAiSilentMs = 10'000;  ///< and to say something
inline constexpr double kOverflowMs = 100;     ///< of the AI's sound, while more of it comes
inline constexpr double kReportMs = 20'000;    ///< RTCP comes every 2.5 to 7.5 s
inline constexpr double kAcknowledgedShare = 0.1;  ///< of what was sent
inline constexpr double kUnreportedMs = 2 * kReportMs;
inline constexpr std::uint64_t kUnacknowledged = 250;  ///< packets; shares are not judged by fewer
}  // namespace hop_limit

/// What passed each hop of a call, and the first that is broken. Of an ended call: as it was at its
/// end. Pure: looks at `call` alone, and costs nothing on any other thread.
/// @param now_ns CLOCK_REALTIME @thread any
[[nodiscard]] model::HopLedger hops_of(const model::CallInfo& call, std::int64_t now_ns);

}  // namespace offhook::stats
