#include "caller/run_result.h"

#include <algorithm>
#include <cmath>

namespace offhook::caller {
namespace {

double ms(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

/// Value below or at which the share `q` lies. @param sorted not empty
std::int64_t quantile(const std::vector<std::int64_t>& sorted, double q) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

struct Quantiles {
    double p50 = -1, p99 = -1, max = -1;
};

Quantiles quantiles_of(std::vector<std::int64_t> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    return {ms(quantile(values, 0.5)), ms(quantile(values, 0.99)), ms(values.back())};
}

}  // namespace

Summary summarise(const RunResult& run) {
    Summary s;
    s.calls = run.wanted_calls;
    std::vector<std::int64_t> answers;
    std::vector<std::int64_t> first_packets;
    double expected = 0;
    double kept = 0;
    std::int64_t max_gap_ns = -1;
    for (const CallResult& call : run.calls) {
        s.invite_retransmissions += call.invite_retransmissions;
        if (!call.was_answered) continue;
        ++s.answered;
        answers.push_back(call.answer_ns);
        const StreamFigures& stream = call.stream;
        if (call.ending == Ending::PeerHungUp) ++s.hung_up;
        if (stream.first_rtp_ns >= 0)
            first_packets.push_back(stream.first_rtp_ns);
        else
            ++s.without_rtp;
        s.received_packets += stream.received_packets;
        s.expected_packets += stream.expected_packets();
        const auto due = static_cast<double>(stream.expected_packets());
        expected += due;
        kept += due * stream.rate_percent() / 100;
        s.worst_rate_percent = s.answered == 1
                                   ? stream.rate_percent()
                                   : std::min(s.worst_rate_percent, stream.rate_percent());
        max_gap_ns = std::max(max_gap_ns, stream.max_gap_ns);
        s.lost += stream.lost_packets;
        s.duplicates += stream.duplicate_packets;
        s.reordered += stream.reordered_packets;
        s.sequence_breaks += stream.sequence_breaks;
        s.timestamp_breaks += stream.timestamp_breaks;
        s.foreign += stream.foreign_packets;
        s.max_ssrcs = std::max(s.max_ssrcs, stream.ssrcs);
    }
    if (s.calls > 0) s.answered_percent = 100.0 * s.answered / s.calls;
    const Quantiles answer = quantiles_of(std::move(answers));
    s.answer_p50_ms = answer.p50;
    s.answer_p99_ms = answer.p99;
    s.answer_max_ms = answer.max;
    // A call without any packet has no first one, and a p99 that leaves it out would praise the
    // others.
    if (s.without_rtp == 0) {
        const Quantiles first = quantiles_of(std::move(first_packets));
        s.first_rtp_p50_ms = first.p50;
        s.first_rtp_p99_ms = first.p99;
        s.first_rtp_max_ms = first.max;
    }
    if (s.answered > 0) {
        s.rate_percent = expected > 0 ? 100.0 * kept / expected : s.worst_rate_percent;
        s.max_gap_ms = ms(max_gap_ns);
    }
    if (run.gaps.count() > 0) {
        s.gap_p50_ms = ms(run.gaps.quantile_ns(0.5));
        s.gap_p99_ms = ms(run.gaps.quantile_ns(0.99));
        s.deviation_p50_ms = ms(run.gaps.deviation_quantile_ns(0.5));
        s.deviation_p99_ms = ms(run.gaps.deviation_quantile_ns(0.99));
        s.deviation_max_ms = ms(run.gaps.max_deviation_ns());
    }
    if (run.round_trips.count() > 0) {
        s.round_trip_p50_ms = ms(run.round_trips.quantile_ns(0.5));
        s.round_trip_p99_ms = ms(run.round_trips.quantile_ns(0.99));
        s.round_trip_max_ms = ms(run.round_trips.max_ns());
    }
    s.markers_back = run.round_trips.count();
    s.markers_lost = run.lost_markers;
    s.send_late_p50_ms = ms(run.send_lateness.quantile_ns(0.5));
    s.send_late_p99_ms = ms(run.send_lateness.quantile_ns(0.99));
    s.send_late_max_ms = ms(run.send_lateness.max_ns());
    if (run.call_seconds > 0) s.cpu_ms_per_call_second = run.cpu_ms / run.call_seconds;
    return s;
}

}  // namespace offhook::caller
