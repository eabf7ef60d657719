#pragma once

#include <string>
#include <vector>

#include "caller/expectation.h"
#include "caller/run_result.h"

namespace offhook::caller {

/// Exit codes of `offhook call`.
inline constexpr int kExitHeld = 0;          ///< every condition held
inline constexpr int kExitBroken = 1;        ///< at least one did not
inline constexpr int kExitUsage = 2;         ///< nothing was called
inline constexpr int kExitNotAnswered = 69;  ///< no call was answered (EX_UNAVAILABLE)

/// A run with everything that is said about it.
struct Report {
    RunResult run;
    Summary summary;
    std::vector<Expectation::Judgement> judgements;
    std::vector<std::string> trouble;  ///< sentences, worst first
    int exit_code = kExitHeld;
};

[[nodiscard]] Report make_report(RunResult run, const Expectation& expectation);

/// A page of text for a person.
[[nodiscard]] std::string text_report(const Report& report);

/// One JSON object in one line. Times in ms unless named otherwise; a figure that was not measured
/// is null.
///
///     verdict "held" | "broken" | "not answered", exit_code, target, transport, codec,
///     srtp (suite or null), srtp_refused, interrupted, wall_s, calls       {wanted, answered, answered_percent, hung_up_by_peer,
///     without_rtp, invite_retransmissions}, answer_ms, first_rtp_ms, gap_ms, deviation_ms   {p50,
///     p99, max}   (deviation: of the gaps from 20 ms) packets     {received, expected,
///     rate_percent, worst_rate_percent}   (the edge of the window is no fault) continuity  {lost,
///     duplicate, reordered, sequence_breaks, timestamp_breaks, ssrcs, foreign} ourselves {cpu_ms,
///     call_seconds, cpu_ms_per_call_second, sent_packets, send_errors, skipped_frames,
///                  send_late_ms {p50, p99, max}}
///     trouble     [sentence …],  expectation [{condition, measured, holds}]
///     per_call    [{call_id, answered, status, ending, answer_ms, listened_s, first_rtp_ms,
///     received, expected,
///                   rate_percent, sent, gap_ms, max_gap_at_s, deviation_ms, lost, duplicate,
///                   reordered, sequence_breaks, timestamp_breaks, ssrcs, foreign, early, events,
///                   rtcp, source, trouble}], with at most 64 calls
[[nodiscard]] std::string json_report(const Report& report);

/// The object for a run that could not begin: {verdict, exit_code, error}.
[[nodiscard]] std::string json_error(const std::string& error, int exit_code);

}  // namespace offhook::caller
