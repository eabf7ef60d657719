#include "caller/expectation.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/escape.h"
#include "caller/sip_uri.h"

#include <spdlog/fmt/fmt.h>

namespace offhook::caller {
namespace {

struct Figure {
    std::string_view name;
    std::string_view meaning;
    double (*value)(const Summary&);  ///< negative: not measured
};

template <class T>
double number(T value) {
    return static_cast<double>(value);
}

constexpr std::array<Figure, 26> kFigures{{
    {"rate",
     "packets received against 50/s, %, all calls together",
     [](const Summary& s) { return s.rate_percent; }},
    {"min_rate",
     "the same of the worst call",
     [](const Summary& s) { return s.worst_rate_percent; }},
    {"max_gap",
     "longest time between two packets, ms",
     [](const Summary& s) { return s.max_gap_ms; }},
    {"p99_gap",
     "99th percentile of the time between packets, ms",
     [](const Summary& s) { return s.gap_p99_ms; }},
    {"p50_dev",
     "median of |time between packets - 20 ms|, ms",
     [](const Summary& s) { return s.deviation_p50_ms; }},
    {"p99_dev", "its 99th percentile, ms", [](const Summary& s) { return s.deviation_p99_ms; }},
    {"max_dev", "its maximum, ms", [](const Summary& s) { return s.deviation_max_ms; }},
    {"first_rtp",
     "200 to first RTP, ms (p99 over the calls)",
     [](const Summary& s) { return s.first_rtp_p99_ms; }},
    {"max_first_rtp",
     "the same of the slowest call",
     [](const Summary& s) { return s.first_rtp_max_ms; }},
    {"answer",
     "INVITE to 200, ms (median over the calls)",
     [](const Summary& s) { return s.answer_p50_ms; }},
    {"p99_answer", "its 99th percentile, ms", [](const Summary& s) { return s.answer_p99_ms; }},
    {"max_answer", "its maximum, ms", [](const Summary& s) { return s.answer_max_ms; }},
    {"ssrc",
     "different SSRCs in one call, the most",
     [](const Summary& s) { return number(s.max_ssrcs); }},
    {"lost", "sequence numbers that never came", [](const Summary& s) { return number(s.lost); }},
    {"duplicate", "packets that came twice", [](const Summary& s) { return number(s.duplicates); }},
    {"reordered", "packets that came late", [](const Summary& s) { return number(s.reordered); }},
    {"seq_breaks",
     "sequence jumps beyond repair",
     [](const Summary& s) { return number(s.sequence_breaks); }},
    {"ts_breaks",
     "timestamps off the sequence",
     [](const Summary& s) { return number(s.timestamp_breaks); }},
    {"foreign", "packets from another address", [](const Summary& s) { return number(s.foreign); }},
    {"answered", "calls answered, %", [](const Summary& s) { return s.answered_percent; }},
    {"hung_up",
     "calls that the far end ended before we did",
     [](const Summary& s) { return number(s.hung_up); }},
    {"round_trip",
     "our sound until it is back, ms (median; with --echo)",
     [](const Summary& s) { return s.round_trip_p50_ms; }},
    {"p99_round_trip",
     "its 99th percentile, ms",
     [](const Summary& s) { return s.round_trip_p99_ms; }},
    {"lost_markers",
     "markers that did not come back within 0.9 s",
     [](const Summary& s) { return number(s.markers_lost); }},
    {"send_late",
     "our own lateness in sending, ms (p99)",
     [](const Summary& s) { return s.send_late_p99_ms; }},
    {"cpu",
     "our own CPU-ms per call-second",
     [](const Summary& s) { return s.cpu_ms_per_call_second; }},
}};

std::string names() {
    std::string text;
    for (const Figure& figure : kFigures)
        text += (text.empty() ? "" : ", ") + std::string(figure.name);
    return text;
}

tl::unexpected<base::Error> refuse(std::string_view part, std::string_view why) {
    return base::fail(base::ErrorCode::InvalidArgument,
                      "--expect: " + base::escape_untrusted(part, 60) + ": " + std::string(why));
}

}  // namespace

std::string Expectation::describe_names() {
    std::string text;
    for (const Figure& figure : kFigures)
        text += fmt::format("  {:<14} {}\n", figure.name, figure.meaning);
    return text;
}

base::Result<Expectation> Expectation::parse(std::string_view text) {
    Expectation expectation;
    expectation.text_ = std::string(text);
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view part = trim(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (part.empty()) continue;
        const std::size_t at = part.find_first_of("<>=");
        if (at == std::string_view::npos)
            return refuse(part, "no operator; write for instance max_gap<=40");
        const std::size_t end = part.find_first_not_of("<>=", at);
        const std::string_view op = part.substr(at, end == std::string_view::npos ? end : end - at);
        Condition condition;
        condition.text = std::string(part);
        if (op == ">=")
            condition.op = Operator::AtLeast;
        else if (op == "<=")
            condition.op = Operator::AtMost;
        else if (op == ">")
            condition.op = Operator::Above;
        else if (op == "<")
            condition.op = Operator::Below;
        else if (op == "=" || op == "==")
            condition.op = Operator::Equal;
        else
            return refuse(part, "the operators are >= <= > < =");
        const std::string_view name = trim(part.substr(0, at));
        while (condition.figure < kFigures.size() && kFigures[condition.figure].name != name)
            ++condition.figure;
        if (condition.figure == kFigures.size())
            return refuse(part, "there is no such figure; there are " + names());
        const std::string_view limit =
            end == std::string_view::npos ? std::string_view() : trim(part.substr(end));
        const auto [stop, status] =
            std::from_chars(limit.data(), limit.data() + limit.size(), condition.limit);
        if (limit.empty() || status != std::errc{} || stop != limit.data() + limit.size() ||
            !std::isfinite(condition.limit)) {
            return refuse(part, "the limit is not a number");
        }
        expectation.conditions_.push_back(std::move(condition));
    }
    if (expectation.conditions_.empty()) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "--expect is empty; write for instance rate>=99.9,max_gap<=40");
    }
    return expectation;
}

Expectation Expectation::standard(int calls) {
    const std::string text = std::string("answered>=100,hung_up=0,rate>=99.9,max_gap<=") +
                             (calls > 1 ? "60" : "40") +
                             ",p99_gap<=25,first_rtp<=20,ssrc=1,lost=0,ts_breaks=0";
    return parse(text).value();
}

std::vector<Expectation::Judgement> Expectation::judge(const Summary& summary) const {
    std::vector<Judgement> judgements;
    for (const Condition& condition : conditions_) {
        const double value = kFigures[condition.figure].value(summary);
        Judgement judgement{condition.text, "not measured", false};
        if (value >= 0) {
            judgement.measured = fmt::format("{:.10g}", std::round(value * 1000) / 1000);
            switch (condition.op) {
                case Operator::AtLeast:
                    judgement.holds = value >= condition.limit;
                    break;
                case Operator::AtMost:
                    judgement.holds = value <= condition.limit;
                    break;
                case Operator::Above:
                    judgement.holds = value > condition.limit;
                    break;
                case Operator::Below:
                    judgement.holds = value < condition.limit;
                    break;
                case Operator::Equal:
                    judgement.holds = std::abs(value - condition.limit) < 1e-9;
                    break;
            }
        }
        judgements.push_back(std::move(judgement));
    }
    return judgements;
}

}  // namespace offhook::caller
