#include "caller/diagnosis.h"

#include <spdlog/fmt/fmt.h>

#include <map>

namespace offhook::caller {
namespace {

constexpr std::int64_t kHoleNs = 40'000'000;  ///< twice the packet time is the promise's own limit
constexpr std::int64_t kStoppedNs =
    200'000'000;  ///< a hole at the end of at least this is a stream that stopped
constexpr std::int64_t kLateFirstNs = 20'000'000;
constexpr double kRateSlackPercent = 0.5;
constexpr double kStarvedMs = 10;

double seconds(std::int64_t ns) {
    return static_cast<double>(ns) / 1e9;
}
double ms(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

std::string no_rtp(const CallResult& call) {
    const StreamFigures& s = call.stream;
    std::string text = "no RTP after the answer";
    if (s.early_packets > 0) {
        text += fmt::format(" ({} packets before it, then nothing)", s.early_packets);
    } else if (s.rtcp_packets > 0) {
        text += fmt::format(" (only {} RTCP packets)", s.rtcp_packets);
    } else if (s.malformed_packets > 0) {
        text += fmt::format(" ({} datagrams that are not RTP)", s.malformed_packets);
    }
    return text;
}

std::string hole(const StreamFigures& s) {
    const std::string where =
        fmt::format("a hole of {:.0f} ms at {:.1f} s", ms(s.max_gap_ns), seconds(s.max_gap_at_ns));
    if (s.max_gap_is_tail) return where + ", which the end of the call cut off";
    if (s.max_gap_missing == 0)
        return where + ": no sequence number is missing, so the sender paused";
    return where + fmt::format(": {} packets were numbered and never came", s.max_gap_missing);
}

std::string wrong_rate(const StreamFigures& s) {
    const double per_second = static_cast<double>(s.received_packets) / seconds(s.listened_ns);
    std::string text = fmt::format("{:.1f} packets/s instead of 50", per_second);
    const double ptime_ms = 1000 / per_second;
    for (const int likely : {10, 30, 40, 60}) {
        if (ptime_ms > likely * 0.97 && ptime_ms < likely * 1.03)
            text += fmt::format(" (ptime {} ms?)", likely);
    }
    return text;
}

}  // namespace

Diagnosis diagnose(const CallResult& call) {
    const StreamFigures& s = call.stream;
    if (!call.was_answered)
        return {Trouble::NotAnswered, call.ending_text.empty() ? "not answered" : call.ending_text};
    if (s.received_packets == 0) return {Trouble::NoRtp, no_rtp(call)};
    if (s.max_gap_is_tail && s.max_gap_ns >= kStoppedNs) {
        return {Trouble::StreamStopped,
                fmt::format("stream stopped at {:.1f} s and never came back",
                            seconds(s.max_gap_at_ns))};
    }
    if (call.ending == Ending::PeerHungUp) {
        return {Trouble::HungUp,
                fmt::format("{} after {:.1f} s", call.ending_text, seconds(s.listened_ns))};
    }
    if (s.ssrcs > 1) {
        return {Trouble::SecondSsrc,
                fmt::format(
                    "second SSRC at {:.1f} s ({} in all)", seconds(s.second_ssrc_at_ns), s.ssrcs)};
    }
    if (s.max_gap_ns > kHoleNs) return {Trouble::Hole, hole(s)};
    if (s.lost_packets > 0) {
        return {Trouble::Lost,
                fmt::format("{} packets lost, the first at {:.1f} s",
                            s.lost_packets,
                            seconds(s.first_loss_at_ns))};
    }
    if (s.sequence_breaks > 0) {
        return {
            Trouble::SequenceBreak,
            fmt::format("the sequence numbers jumped beyond repair {} times", s.sequence_breaks)};
    }
    if (s.timestamp_breaks > 0) {
        return {Trouble::TimestampBreak,
                fmt::format("the timestamp did not follow the sequence {} times, first at {:.1f} s",
                            s.timestamp_breaks,
                            seconds(s.first_timestamp_break_at_ns))};
    }
    if (s.rate_percent() < 100 - kRateSlackPercent || s.rate_percent() > 100 + kRateSlackPercent) {
        return {Trouble::WrongRate, wrong_rate(s)};
    }
    if (s.first_rtp_ns > kLateFirstNs) {
        return {Trouble::LateFirstPacket,
                fmt::format("first RTP {:.1f} ms after the 200", ms(s.first_rtp_ns))};
    }
    if (s.foreign_packets > 0) {
        return {Trouble::Foreign,
                fmt::format(
                    "{} packets came from {} as well", s.foreign_packets, s.first_foreign.text())};
    }
    return {};
}

std::vector<std::string> diagnose(const RunResult& run) {
    struct Kind {
        int calls = 0;
        std::string example;
    };
    std::map<Trouble, Kind> kinds;
    for (const CallResult& call : run.calls) {
        Diagnosis found = diagnose(call);
        if (found.trouble == Trouble::None) continue;
        Kind& kind = kinds[found.trouble];
        if (kind.calls++ == 0) kind.example = std::move(found.sentence);
    }
    std::vector<std::string> sentences;
    for (const auto& [trouble, kind] : kinds) {
        sentences.push_back(
            run.wanted_calls > 1
                ? fmt::format("{} of {} calls: {}", kind.calls, run.wanted_calls, kind.example)
                : kind.example);
    }
    const double own_late_ms = ms(run.send_lateness.quantile_ns(0.99));
    if (own_late_ms > kStarvedMs || run.skipped_frames > 0) {
        sentences.push_back(
            fmt::format("this caller itself was short of CPU (its sending p99 {:.1f} ms late, {} "
                        "frames skipped): the "
                        "peer may be better than these figures",
                        own_late_ms,
                        run.skipped_frames));
    }
    if (run.send_errors > 0)
        sentences.push_back(
            fmt::format("{} of our own packets could not be sent", run.send_errors));
    if (run.srtp_refused > 0) {
        sentences.push_back(
            fmt::format("{} packets were not protected by the key of their SDP, or came twice",
                        run.srtp_refused));
    }
    if (run.malformed_sip > 0)
        sentences.push_back(fmt::format("{} SIP messages could not be read", run.malformed_sip));
    if (!run.recording_error.empty()) sentences.push_back(run.recording_error);
    return sentences;
}

}  // namespace offhook::caller
