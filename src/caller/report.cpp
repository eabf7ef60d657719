#include "caller/report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "caller/diagnosis.h"

namespace offhook::caller {
namespace {

constexpr std::size_t kMaxCallsInJson = 64;

using base::JsonWriter;

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

/// Negative: not measured.
void put(JsonWriter& w, std::string_view name, double value) {
    w.key(name);
    if (value < 0)
        w.null();
    else
        w.value(rounded(value));
}

void put_quantiles(JsonWriter& w, std::string_view name, double p50, double p99, double max) {
    w.key(name).begin_object();
    put(w, "p50", p50);
    put(w, "p99", p99);
    put(w, "max", max);
    w.end();
}

double ms(std::int64_t ns) {
    return ns < 0 ? -1 : static_cast<double>(ns) / 1e6;
}

std::string figure(double value, int digits = 1) {
    return value < 0 ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::string_view verdict_of(int exit_code) {
    return exit_code == kExitHeld          ? "held"
           : exit_code == kExitNotAnswered ? "not answered"
                                           : "broken";
}

std::string_view name_of(Ending ending) {
    switch (ending) {
        case Ending::None:
            return "none";
        case Ending::WeHungUp:
            return "we-hung-up";
        case Ending::PeerHungUp:
            return "peer-hung-up";
        case Ending::Refused:
            return "refused";
        case Ending::NoResponse:
            return "no-response";
        case Ending::RangOut:
            return "rang-out";
        case Ending::Unreachable:
            return "unreachable";
        case Ending::BadAnswer:
            return "bad-answer";
        case Ending::Cancelled:
            return "cancelled";
    }
    return "none";
}

void put_call(JsonWriter& w, const CallResult& call) {
    const StreamFigures& s = call.stream;
    w.begin_object();
    w.field("call_id", call.sip_call_id)
        .field("answered", call.was_answered)
        .field("status", call.status);
    w.field("ending", name_of(call.ending));
    put(w, "answer_ms", ms(call.answer_ns));
    put(w, "listened_s", static_cast<double>(s.listened_ns) / 1e9);
    put(w, "first_rtp_ms", ms(s.first_rtp_ns));
    w.field("received", s.received_packets).field("expected", s.expected_packets());
    put(w, "rate_percent", call.was_answered ? s.rate_percent() : -1);
    w.field("sent", call.sent_packets);
    put_quantiles(w, "gap_ms", ms(call.gap_p50_ns), ms(call.gap_p99_ns), ms(s.max_gap_ns));
    put(w, "max_gap_at_s", s.max_gap_at_ns < 0 ? -1 : static_cast<double>(s.max_gap_at_ns) / 1e9);
    put_quantiles(w,
                  "deviation_ms",
                  ms(call.deviation_p50_ns),
                  ms(call.deviation_p99_ns),
                  ms(call.deviation_max_ns));
    w.field("lost", s.lost_packets)
        .field("duplicate", s.duplicate_packets)
        .field("reordered", s.reordered_packets);
    w.field("sequence_breaks", s.sequence_breaks).field("timestamp_breaks", s.timestamp_breaks);
    w.field("ssrcs", s.ssrcs).field("foreign", s.foreign_packets).field("early", s.early_packets);
    w.field("events", s.event_packets).field("rtcp", s.rtcp_packets);
    w.key("source");
    if (s.source.is_set())
        w.value(s.source.text());
    else
        w.null();
    const Diagnosis found = diagnose(call);
    w.key("trouble");
    if (found.trouble == Trouble::None)
        w.null();
    else
        w.value(found.sentence);
    w.end();
}

std::string answer_line(const Summary& s) {
    std::string text = fmt::format("{} of {}", s.answered, s.calls);
    if (s.answered == 1) return text + fmt::format(", 200 after {} ms", figure(s.answer_max_ms));
    if (s.answered > 1) {
        text += fmt::format(", 200 after p50 {}, p99 {}, max {} ms",
                            figure(s.answer_p50_ms),
                            figure(s.answer_p99_ms),
                            figure(s.answer_max_ms));
    }
    return text;
}

std::string first_line(const Summary& s) {
    if (s.first_rtp_max_ms < 0) {
        return s.answered == 1 ? "none" : fmt::format("none at all in {} calls", s.without_rtp);
    }
    if (s.answered == 1) return figure(s.first_rtp_max_ms) + " ms after the 200";
    return fmt::format("p50 {}, p99 {}, max {} ms after the 200",
                       figure(s.first_rtp_p50_ms),
                       figure(s.first_rtp_p99_ms),
                       figure(s.first_rtp_max_ms));
}

std::string gap_line(const Report& report) {
    std::string text = figure(report.summary.max_gap_ms) + " ms";
    const auto worst = std::max_element(report.run.calls.begin(),
                                        report.run.calls.end(),
                                        [](const CallResult& a, const CallResult& b) {
                                            return a.stream.max_gap_ns < b.stream.max_gap_ns;
                                        });
    if (worst != report.run.calls.end() && worst->stream.max_gap_at_ns >= 0) {
        text += fmt::format(" at {:.1f} s", static_cast<double>(worst->stream.max_gap_at_ns) / 1e9);
        if (report.summary.calls > 1) text += fmt::format(" of call {}", worst->index + 1);
    }
    return text;
}

}  // namespace

Report make_report(RunResult run, const Expectation& expectation) {
    Report report;
    report.run = std::move(run);
    report.summary = summarise(report.run);
    report.trouble = diagnose(report.run);
    report.judgements = expectation.judge(report.summary);
    const bool holds = std::all_of(
        report.judgements.begin(), report.judgements.end(), [](const auto& j) { return j.holds; });
    report.exit_code = report.summary.answered == 0 ? kExitNotAnswered
                       : holds                      ? kExitHeld
                                                    : kExitBroken;
    return report;
}

std::string text_report(const Report& report) {
    const RunResult& run = report.run;
    const Summary& s = report.summary;
    const std::string srtp =
        run.srtp ? fmt::format(", {}", model::facts_of(*run.srtp).name) : std::string();
    std::string text = fmt::format("{} over {}, {}{}, {} in {:.1f} s{}\n\n",
                                   run.target,
                                   run.transport,
                                   model::facts_of(run.codec).name,
                                   srtp,
                                   s.calls == 1 ? "1 call" : fmt::format("{} calls", s.calls),
                                   static_cast<double>(run.wall_ns) / 1e9,
                                   run.was_interrupted ? " (interrupted)" : "");
    const auto line = [&text](std::string_view name, const std::string& value) {
        text += fmt::format("  {:<13} {}\n", name, value);
    };
    line("answered", answer_line(s));
    if (s.answered > 0) {
        line("first RTP", first_line(s));
        line("packets",
             fmt::format("{} of {} at 50/s, {} %{}",
                         s.received_packets,
                         s.expected_packets,
                         figure(s.rate_percent, 2),
                         s.answered > 1
                             ? fmt::format(" (worst call {} %)", figure(s.worst_rate_percent, 2))
                             : ""));
        line("longest gap", gap_line(report));
        line("gaps",
             fmt::format("p50 {}, p99 {} ms", figure(s.gap_p50_ms, 2), figure(s.gap_p99_ms, 2)));
        line("off 20 ms",
             fmt::format("p50 {}, p99 {}, max {} ms",
                         figure(s.deviation_p50_ms, 2),
                         figure(s.deviation_p99_ms, 2),
                         figure(s.deviation_max_ms, 2)));
        line("continuity",
             fmt::format("lost {}, duplicate {}, reordered {}, sequence breaks {}, timestamp "
                         "breaks {}, SSRCs {}, foreign {}",
                         s.lost,
                         s.duplicates,
                         s.reordered,
                         s.sequence_breaks,
                         s.timestamp_breaks,
                         s.max_ssrcs,
                         s.foreign));
        if (s.markers_back + s.markers_lost > 0) {
            line("round trip",
                 fmt::format("p50 {}, p99 {}, max {} ms; {} markers came back, {} did not",
                             figure(s.round_trip_p50_ms),
                             figure(s.round_trip_p99_ms),
                             figure(s.round_trip_max_ms),
                             s.markers_back,
                             s.markers_lost));
        }
        line("ourselves",
             fmt::format(
                 "{} CPU-ms per call-second; {} packets sent, late p50 {}, p99 {}, max {} ms",
                 figure(s.cpu_ms_per_call_second, 3),
                 run.sent_packets,
                 figure(s.send_late_p50_ms, 2),
                 figure(s.send_late_p99_ms, 2),
                 figure(s.send_late_max_ms, 2)));
    }
    for (const std::string& sentence : report.trouble) line("trouble", sentence);
    text += "\n";
    if (report.exit_code == kExitNotAnswered) return text + "Not answered.\n";
    for (const auto& j : report.judgements) {
        line(j.holds ? "ok" : "BROKEN", fmt::format("{:<18} {}", j.condition, j.measured));
    }
    text += report.exit_code == kExitHeld ? "\nThe promise held.\n" : "\nThe promise was broken.\n";
    return text;
}

std::string json_report(const Report& report) {
    const RunResult& run = report.run;
    const Summary& s = report.summary;
    JsonWriter w;
    w.begin_object();
    w.field("verdict", verdict_of(report.exit_code)).field("exit_code", report.exit_code);
    w.field("target", run.target)
        .field("transport", run.transport)
        .field("codec", model::facts_of(run.codec).name);
    w.key("srtp");
    run.srtp ? w.value(model::facts_of(*run.srtp).name) : w.null();
    w.field("srtp_refused", run.srtp_refused);
    w.field("interrupted", run.was_interrupted);
    put(w, "wall_s", static_cast<double>(run.wall_ns) / 1e9);
    w.key("calls").begin_object();
    w.field("wanted", s.calls).field("answered", s.answered);
    put(w, "answered_percent", s.answered_percent);
    w.field("hung_up_by_peer", s.hung_up).field("without_rtp", s.without_rtp);
    w.field("invite_retransmissions", s.invite_retransmissions).end();
    put_quantiles(w, "answer_ms", s.answer_p50_ms, s.answer_p99_ms, s.answer_max_ms);
    put_quantiles(w, "first_rtp_ms", s.first_rtp_p50_ms, s.first_rtp_p99_ms, s.first_rtp_max_ms);
    w.key("packets").begin_object();
    w.field("received", s.received_packets).field("expected", s.expected_packets);
    put(w, "rate_percent", s.rate_percent);
    put(w, "worst_rate_percent", s.worst_rate_percent);
    w.end();
    put_quantiles(w, "gap_ms", s.gap_p50_ms, s.gap_p99_ms, s.max_gap_ms);
    put_quantiles(w, "deviation_ms", s.deviation_p50_ms, s.deviation_p99_ms, s.deviation_max_ms);
    w.key("continuity").begin_object();
    w.field("lost", s.lost).field("duplicate", s.duplicates).field("reordered", s.reordered);
    w.field("sequence_breaks", s.sequence_breaks).field("timestamp_breaks", s.timestamp_breaks);
    w.field("ssrcs", s.max_ssrcs).field("foreign", s.foreign).end();
    put_quantiles(
        w, "round_trip_ms", s.round_trip_p50_ms, s.round_trip_p99_ms, s.round_trip_max_ms);
    w.field("markers_back", s.markers_back).field("markers_lost", s.markers_lost);
    w.key("ourselves").begin_object();
    put(w, "cpu_ms", run.cpu_ms);
    put(w, "call_seconds", run.call_seconds);
    put(w, "cpu_ms_per_call_second", s.cpu_ms_per_call_second);
    w.field("sent_packets", run.sent_packets).field("send_errors", run.send_errors);
    w.field("skipped_frames", run.skipped_frames);
    put_quantiles(w, "send_late_ms", s.send_late_p50_ms, s.send_late_p99_ms, s.send_late_max_ms);
    w.end();
    w.key("trouble").begin_array();
    for (const std::string& sentence : report.trouble) w.value(sentence);
    w.end();
    w.key("expectation").begin_array();
    for (const auto& j : report.judgements) {
        w.begin_object()
            .field("condition", j.condition)
            .field("measured", j.measured)
            .field("holds", j.holds)
            .end();
    }
    w.end();
    if (run.calls.size() <= kMaxCallsInJson) {
        w.key("per_call").begin_array();
        for (const CallResult& call : run.calls) put_call(w, call);
        w.end();
    }
    w.end();
    return std::move(w).text();
}

std::string json_error(const std::string& error, int exit_code) {
    JsonWriter w;
    w.begin_object();
    w.field("verdict", exit_code == kExitNotAnswered ? "not answered" : "usage");
    w.field("exit_code", exit_code).field("error", error).end();
    return std::move(w).text();
}

}  // namespace offhook::caller
