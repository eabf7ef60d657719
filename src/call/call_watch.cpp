// What the registry notices while calls run: first packets, keep-alive, one-way calls, failing
// elements, digits.

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::EndReason;

namespace {

constexpr std::int64_t kKeepaliveNs = 3 * base::kNsPerS;
constexpr double kOnewayMs = 3000;
/// RTCP comes every 2.5 to 7.5 s, and one report may get lost.
constexpr double kPausedOnewayMs = 15000;
constexpr double kStoppedMs = 100;
/// Looks in a second (kLookPeriod), each of which samples a part of the calls.
constexpr unsigned kSampleTurns = 4;
constexpr std::int64_t kStartNs = 500 * base::kNsPerMs;

}  // namespace

void CallRegistry::look() {
    const std::int64_t now_ns = base::monotonic_ns();
    if (now_ns - last_observed_ns_ >= base::kNsPerS) {
        last_observed_ns_ = now_ns;
        gaps_[static_cast<std::size_t>(++gaps_second_) % gaps_.size()] = 0;
        admission_.observe(parts_.workers->stats(), now_ns);
        if (parts_.web_workers != nullptr)
            web_admission_.observe(parts_.web_workers->stats(), now_ns);
    }
    ++look_turn_;
    for (const auto& [id, call] : calls_.live()) {
        if (call->media_started_ns != 0 && !call->ending) look_at(*call, now_ns);
    }
}

void CallRegistry::look_at(Call& call, std::int64_t now_ns) {
    const model::LegStats stats = call.leg->stats(call.answered_ns, now_ns);
    const std::string& id = call.id.text;
    if (!call.told_first_sent && stats.sent_packets > 0) {
        call.told_first_sent = true;
        log::write(
            Level::Info,
            Mark::Voice,
            "rtp.first_packet_sent",
            id,
            "the line is alive",
            {{"after_answer_ms", stats.first_sent_after_answer_ms}, {"chain", call.leg->chain()}});
    }
    if (!call.told_first_received && stats.received_packets > 0) {
        call.told_first_received = true;
        const double after_ms =
            static_cast<double>(model::LegCounters::get(call.leg->counters().first_received_ns) -
                                call.answered_ns) /
            1e6;
        log::write(Level::Info,
                   Mark::Voice,
                   "rtp.first_packet_received",
                   id,
                   "the caller's sound comes in",
                   {{"after_answer_ms", after_ms}});
    }
    const bool is_alive = stats.since_last_sent_ms >= 0 && stats.since_last_sent_ms < kStoppedMs;
    if (is_alive && now_ns - call.last_keepalive_ns >= kKeepaliveNs) {
        // After a pause the rhythm begins anew; what was not alive is not made up for.
        const bool is_far_behind = now_ns - call.last_keepalive_ns >= 2 * kKeepaliveNs;
        call.last_keepalive_ns = is_far_behind ? now_ns : call.last_keepalive_ns + kKeepaliveNs;
        log::write(Level::Info,
                   Mark::Ok,
                   "rtp.keepalive",
                   id,
                   "RTP flows",
                   {{"sent", stats.sent_packets},
                    {"received", stats.received_packets},
                    {"source", model::name_of(stats.last_source)},
                    {"max_gap_ms", stats.max_gap_ms}});
    }
    look_for_gap(call, stats, now_ns);
    look_for_stop(call, stats, now_ns);
    look_for_oneway(call, stats, now_ns);
    if (!call.record) {
        call.record = std::make_unique<stats::LegRecord>(call.leg->chosen().codec);
        // Calls that began together are not sampled together.
        call.sample_turn = ++next_sample_turn_ % kSampleTurns;
    }
    if (look_turn_ % kSampleTurns == call.sample_turn) sample(call, stats, now_ns);
}

// The packets that came late are gone by now; what is told is for who looks for the reason.
void CallRegistry::look_for_gap(Call& call, const model::LegStats& stats, std::int64_t now_ns) {
    if (stats.long_gaps == call.told_gaps || now_ns - call.told_gap_ns < base::kNsPerS) return;
    const std::uint64_t gaps = stats.long_gaps - call.told_gaps;
    call.told_gaps = stats.long_gaps;
    call.told_gap_ns = now_ns;
    gaps_[static_cast<std::size_t>(gaps_second_) % gaps_.size()] += gaps;
    log::write(Level::Warning,
               Mark::Warning,
               "rtp.gap",
               call.id.text,
               "the caller heard a hole: look at the media workers in /health",
               {{"gap_ms", stats.last_long_gap_ms},
                {"limit_ms", parts_.config->alarm.rtp_gap_ms},
                {"gaps", gaps},
                {"max_gap_ms", stats.max_gap_ms},
                {"sent", stats.sent_packets}});
}

// The alarm that should never sound: an answered call to which nothing leaves.
void CallRegistry::look_for_stop(Call& call, const model::LegStats& stats, std::int64_t now_ns) {
    const bool has_begun = now_ns - call.media_started_ns > kStartNs;
    // A web leg whose transport is gone waits for that of its ICE restart.
    const bool has_way = !call.is_web() || WebMedia::is_connected(call);
    const bool is_stopped =
        has_begun && has_way && !call.is_held() &&
        (stats.since_last_sent_ms < 0 || stats.since_last_sent_ms >= kStoppedMs);
    if (is_stopped && !call.told_stopped) {
        log::write(Level::Error,
                   Mark::Error,
                   "rtp.stopped",
                   call.id.text,
                   "nothing is sent to the caller: look at send_errors and at the media workers in "
                   "/health",
                   {{"since_last_sent_ms", stats.since_last_sent_ms},
                    {"sent", stats.sent_packets},
                    {"send_errors", stats.send_errors}});
    }
    call.told_stopped = is_stopped;
}

void CallRegistry::look_for_oneway(Call& call, const model::LegStats& stats, std::int64_t now_ns) {
    if (!call.is_sound_expected()) {
        call.info.is_oneway = false;
        return;
    }
    // A pause that the caller's side announced (comfort noise, DTX) is not a dead line as long as
    // anything comes, RTCP included.
    const double heard_ms = stats.is_paused && stats.since_last_rtcp_ms >= 0
                                ? std::min(stats.since_last_rtcp_ms, stats.since_last_received_ms)
                                : stats.since_last_received_ms;
    const double since_expected_ms = static_cast<double>(now_ns - call.expected_since_ns) / 1e6;
    const double silent_ms =
        heard_ms < 0 ? since_expected_ms : std::min(heard_ms, since_expected_ms);
    if (silent_ms < (stats.is_paused ? kPausedOnewayMs : kOnewayMs)) {
        if (std::exchange(call.info.is_oneway, false)) {
            log::write(Level::Info,
                       Mark::Ok,
                       "call.oneway_over",
                       call.id.text,
                       "the caller's RTP is back");
        }
        return;
    }
    if (!std::exchange(call.info.is_oneway, true)) {
        log::write(Level::Warning,
                   Mark::Warning,
                   "call.oneway",
                   call.id.text,
                   call.is_web() ? "no RTP from the peer; ours goes on. With web.lost it is gone, "
                                   "else it sends nothing: a microphone that is shut off"
                                 : "no RTP from the caller; ours goes on. Look for a firewall or "
                                   "NAT between the peer and [rtp] ports",
                   {{"silent_ms", silent_ms},
                    {"received", stats.received_packets},
                    {"sent", stats.sent_packets}});
    }
    const int timeout_s = parts_.config->rtp.timeout_s;
    if (timeout_s > 0 && silent_ms >= timeout_s * 1000.0) {
        end(call,
            model::ended(
                EndReason::RtpTimeout,
                "no RTP from the caller for " + std::to_string(timeout_s) + " s ([rtp] timeout_s)"),
            "SIP;cause=408;text=\"no RTP\"");
    }
}

void CallRegistry::on_pipeline_error(const std::string& id,
                                     const std::string& element,
                                     const std::string& text) {
    Call* call = get({id});
    if (!call || call->ending) return;
    const std::string detail = "element " + element + " failed: " + base::escape_untrusted(text);
    log::write(Level::Error,
               Mark::Error,
               "call.pipeline_error",
               id,
               detail,
               {{"pipeline", call->info.pipeline}});
    end(*call, model::ended(EndReason::PipelineError, detail), "SIP;cause=500");
}

void CallRegistry::on_digit(const std::string& id, char digit, unsigned duration_ms) {
    if (const Call* call = get({id}))
        media_.tell(*call, ai::DigitNews{.digit = digit, .duration_ms = duration_ms});
    // A digit may be part of a PIN: it is named at debug level only.
    log::write(Level::Info,
               Mark::Call,
               "call.dtmf",
               id,
               "the caller pressed a key",
               {{"duration_ms", duration_ms}});
    log::write(
        Level::Debug, Mark::Call, "call.dtmf_digit", id, "key", {{"digit", std::string(1, digit)}});
}

}  // namespace offhook::call
