#include "api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "api/ai_metrics.h"
#include "api/channel_metrics.h"
#include "api/connection_metrics.h"
#include "api/event_metrics.h"
#include "api/process_stats.h"
#include "api/store_metrics.h"
#include "base/monotonic.h"

namespace offhook::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

// What of a leg goes into counters. Order is that of Impl::flows_.
enum Flow : std::size_t {
    kSent,
    kReceived,
    kLost,
    kRefused,
    kSrtpAuthFailures,
    kSrtpReplays,
    kSendErrors,
    kLongGaps,
    kAi,
    kDtmf,
    kFill,
    kTapDropped,
    kVoiceDropped,
    kUnderruns,
    kFlows
};
using Amounts = std::array<std::uint64_t, kFlows>;

/// What of a call is in the counters already.
struct Seen {
    Amounts amounts{};
    std::uint64_t restarts = 0, losses = 0;
    bool is_connected = false;
};

Amounts amounts_of(const model::LegStats& s) {
    return {s.sent_packets,
            s.received_packets,
            s.lost_packets,
            s.refused_packets,
            s.srtp_auth_failures,
            s.srtp_replays,
            s.send_errors,
            s.long_gaps,
            s.sent_ai_frames,
            s.sent_dtmf_packets,
            s.sent_fill_frames,
            s.tap_dropped_samples,
            s.voice_dropped_samples,
            s.voice_underruns};
}

// What only a web leg can end of.
constexpr std::array kWebReasons{model::EndReason::IceFailed,
                                 model::EndReason::DtlsFailed,
                                 model::EndReason::FingerprintMismatch,
                                 model::EndReason::WebTimeout,
                                 model::EndReason::PeerVanished};

bool is_answered(const model::CallInfo& call) {
    return call.answered_ns != 0;
}

// An INVITE that ended unanswered was refused by us, unless its sender or the line gave up first.
bool is_refusal(model::EndReason reason) {
    return reason != model::EndReason::CallerCancelled &&
           reason != model::EndReason::AnsweredElsewhere &&
           reason != model::EndReason::TransportLost;
}

// "file:/path" is one of a set without bounds, "file" is not. Empty: the pipeline's own choice.
std::string fill_kind(const std::string& fill) {
    return fill.empty() ? "pipeline" : fill.substr(0, fill.find(':'));
}

}  // namespace

class Metrics::Impl {
public:
    explicit Impl(std::string_view version)
        : calls_total_(counters("offhook_calls_total", "Calls that ended, by reason")),
          placed_(counters("offhook_calls_placed_total",
                           "Calls that we placed and that ended or were answered, by result: "
                           "answered, or why not")),
          refused_(counters("offhook_invites_refused_total",
                            "INVITEs that got a final answer other than 2xx from us, by whose "
                            "doing and why")),
          invites_(counters(
              "offhook_sip_invites_total",
              "INVITEs that became a call, by result: answered, or why not. Those refused "
              "before, on the SIP thread (such as 400, 415, 420, and 488 without audio), are not "
              "in it")),
          packets_(counters("offhook_rtp_packets_total", "RTP packets, accepted ones inbound")),
          keepalive_(counters("offhook_rtp_keepalive_packets_total",
                              "RTP packets sent, by where their sound came from")),
          dropped_(counters("offhook_ai_audio_dropped_seconds_total",
                            "Sound between caller and AI that found no room, by ring")),
          lateness_(gauges("offhook_media_tick_lateness_seconds",
                           "How late the tick of a media worker was, over its last 3 s; quantile 1 "
                           "is the longest")),
          worker_calls_(gauges("offhook_media_worker_calls", "Calls on a media worker")),
          worker_cpu_(gauges("offhook_media_worker_cpu_ratio",
                             "CPU of a media worker, of one core, over the last second")),
          overruns_(counters("offhook_media_overruns_total",
                             "20 ms frames that a media worker skipped after stalls")),
          web_failed_(counters("offhook_web_legs_failed_total",
                               "Calls that ended because their web leg failed, by reason")),
          account_registered_(gauges("offhook_account_registered", "1 while registered")),
          account_insecure_(gauges("offhook_account_insecure",
                                   "1 when the certificate of the registrar is not checked, as "
                                   "configured")),
          account_registrations_(counters("offhook_account_registrations_total",
                                          "REGISTERs that were accepted, refreshes included")),
          account_failures_(counters("offhook_account_failures_total",
                                     "Tries to register that were refused, not answered, or had no "
                                     "flow")),
          account_flow_losses_(counters("offhook_account_flow_losses_total",
                                        "Flows to the registrar that were lost")),
          http_(counters("offhook_http_requests_total", "HTTP requests answered")),
          calls_active_(gauge("offhook_calls_active", "Calls that have not ended")),
          calls_oneway_(gauge("offhook_calls_oneway",
                              "Calls without RTP from the caller for 3 s while it should come")),
          ai_buffer_(gauge("offhook_ai_buffer_seconds",
                           "Sound of AIs that waits to be sent: the longest queue of a call")),
          web_legs_(gauge("offhook_web_legs", "Calls over ICE and DTLS-SRTP that have not ended")),
          web_connected_(gauge("offhook_web_legs_connected",
                               "Those whose ICE and DTLS are up, with the described certificate")),
          web_lost_(gauge("offhook_web_legs_lost", "Those of whose peer nothing is heard")),
          draining_(gauge("offhook_draining",
                          "1 while new calls are refused because the process is about to end")),
          realtime_(
              gauge("offhook_media_realtime", "1 when every media worker runs under SCHED_FIFO")),
          rss_(gauge("process_resident_memory_bytes", "Resident memory")),
          fds_(gauge("process_open_fds", "Open file descriptors")),
          max_fds_(gauge("process_max_fds", "Limit of open file descriptors")),
          threads_(gauge("process_threads", "Threads")),
          sip_dialogs_(gauge("offhook_sip_dialogs", "SIP dialogs")),
          sip_transactions_(gauge("offhook_sip_transactions",
                                  "SIP transactions, also finished ones whose answer may be asked "
                                  "again")),
          cpu_(counter("process_cpu_seconds_total", "User and system CPU time")),
          diverted_(counter("offhook_calls_diverted_total",
                            "Answered calls that the PBX took away as it does with a call without "
                            "media")),
          zero_packet_(counter("offhook_calls_zero_packet_total",
                               "Answered calls that ended without one RTP packet from the caller")),
          oneway_(counter("offhook_calls_oneway_seconds_total",
                          "Time of calls that ended in which the caller's RTP was due and did not "
                          "come, from 3 s on")),
          sip_malformed_(counter("offhook_sip_malformed_total",
                                 "Messages that were no SIP, lacked a header or broke a bound")),
          sip_refused_sources_(counter("offhook_sip_refused_sources_total",
                                       "Datagrams and connections from outside [sip] allow")),
          sip_retransmissions_(
              counter("offhook_sip_retransmissions_total", "SIP messages that we sent again")),
          sip_dropped_(counter("offhook_sip_dropped_total",
                               "SIP requests not taken because a bound was reached")),
          sip_ack_timeouts_(
              counter("offhook_sip_ack_timeouts_total", "Calls whose 200 was never acknowledged")),
          failed_ai_sessions_(counter("offhook_ai_failed_sessions_total",
                                      "AIs that failed and were taken off their call")),
          web_restarts_(counter("offhook_web_restarts_total", "ICE restarts that came up")),
          web_losses_(counter("offhook_web_losses_total",
                              "Times nothing was heard any more of a web leg's peer")),
          setup_(histogram("offhook_call_setup_seconds",
                           "INVITE to 200",
                           {.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10})),
          duration_(histogram("offhook_call_duration_seconds",
                              "200 to the end",
                              {1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600})),
          gap_(histogram("offhook_rtp_send_gap_seconds",
                         "Longest time between two RTP packets sent, one value for each answered "
                         "call that ended",
                         {.025, .03, .04, .06, .1, .2, .5, 1, 5})),
          jitter_(
              histogram("offhook_rtp_jitter_seconds",
                        "Mean interarrival jitter (RFC 3550 A.8) of the caller's RTP, one value "
                        "for each call that ended and got any",
                        {.001, .002, .005, .01, .02, .03, .05, .1, .2})),
          round_trip_(histogram("offhook_rtp_round_trip_seconds",
                                "Mean round trip by RTCP, one value for each call that ended and "
                                "had a report",
                                {.005, .01, .02, .05, .1, .15, .2, .3, .5, 1})),
          mos_(
              histogram("offhook_call_mos",
                        "Estimate of what the AI heard, ITU-T G.107, transport only, one value for "
                        "each call that ended and got any RTP",
                        {1.5, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.1, 4.2, 4.3, 4.4})),
          web_connect_(histogram("offhook_web_connect_seconds",
                                 "From both descriptions being exchanged to ICE and DTLS being up "
                                 "and the certificate checked",
                                 {.02, .05, .1, .15, .2, .3, .5, 1, 2, 5, 10, 15})),
          http_duration_(histogram("offhook_http_request_duration_seconds",
                                   "Time in the handler",
                                   {.0005, .001, .005, .01, .05, .1, .5, 1})) {
        prometheus::BuildGauge()
            .Name("offhook_build_info")
            .Help("Always 1; the version is the label")
            .Register(registry_)
            .Add({{"version", std::string(version)}})
            .Set(1);
        prometheus::BuildGauge()
            .Name("process_start_time_seconds")
            .Help("Start of the process since the epoch")
            .Register(registry_)
            .Add({})
            .Set(static_cast<double>(base::realtime_ns()) / 1e9);
        // Series exist from the start, so that a rate over the first event is not lost.
        for (const model::EndReason reason : model::end_reasons()) {
            calls_total_.Add({{"end_reason", std::string(model::name_of(reason))}});
        }
        for (const model::EndReason reason : kWebReasons)
            web_failed_.Add({{"reason", std::string(model::name_of(reason))}});
        invites_.Add({{"result", "answered"}});
        flows_ = {
            &packets_.Add({{"direction", "outbound"}}),
            &packets_.Add({{"direction", "inbound"}}),
            &counter("offhook_rtp_packets_lost_total",
                     "RTP packets from callers that never came in time"),
            &counter("offhook_rtp_packets_refused_total",
                     "Datagrams on RTP ports that were malformed, foreign or of an unknown payload "
                     "type"),
            &counter("offhook_srtp_auth_failures_total",
                     "SRTP and SRTCP packets under another key, or forged"),
            &counter("offhook_srtp_replays_total",
                     "SRTP and SRTCP packets that had come before, or too late to know"),
            &counter("offhook_rtp_send_errors_total", "RTP packets that the kernel did not take"),
            &counter(
                "offhook_rtp_gap_alarms_total",
                "Times that more than [alarm] rtp_gap_ms passed between two RTP packets of ours"),
            &keepalive_.Add({{"source", "ai"}}),
            &keepalive_.Add({{"source", "dtmf"}}),
            nullptr,  // by kind of fill
            &dropped_.Add({{"reason", "tap-full"}}),
            &dropped_.Add({{"reason", "voice-full"}}),
            &counter("offhook_voice_underruns_total",
                     "Times the AI's sound ran dry inside an utterance")};
        for (const char* kind : {"silence", "comfort-noise", "tone", "file", "pipeline"})
            keepalive_.Add({{"source", kind}});
    }

    void answered(const model::CallInfo& call) {
        if (call.direction == model::CallDirection::Outbound) {
            placed_.Add({{"result", "answered"}}).Increment();
            return;
        }
        invites_.Add({{"result", "answered"}}).Increment();
        if (call.answer_ms >= 0) setup_.Observe(call.answer_ms / 1000);
    }

    AiMetrics& ai() { return ai_; }

    void ended(const model::CallInfo& call) {
        take(call);
        seen_.erase(call.id);
        ai_.take(call, false);
        ai_.forget(call.id);
        const std::string reason(
            model::name_of(call.end ? call.end->reason : model::EndReason::InternalError));
        calls_total_.Add({{"end_reason", reason}}).Increment();
        if (call.end && std::find(kWebReasons.begin(), kWebReasons.end(), call.end->reason) !=
                            kWebReasons.end()) {
            web_failed_.Add({{"reason", reason}}).Increment();
        }
        if (call.end && call.end->reason == model::EndReason::Diverted) diverted_.Increment();
        if (!is_answered(call)) {
            const bool is_placed = call.direction == model::CallDirection::Outbound;
            (is_placed ? placed_ : invites_).Add({{"result", reason}}).Increment();
            if (!is_placed && call.end && is_refusal(call.end->reason))
                refused(call.end->reason).Increment();
            return;
        }
        duration_.Observe(
            static_cast<double>(std::max<std::int64_t>(0, call.ended_ns - call.answered_ns)) / 1e9);
        gap_.Observe(call.stats.max_gap_ms / 1000);
        if (call.stats.received_packets == 0) zero_packet_.Increment();
        const model::Quality& quality = call.quality;
        if (quality.jitter_ms >= 0) jitter_.Observe(quality.jitter_ms / 1000);
        if (quality.round_trip_ms >= 0) round_trip_.Observe(quality.round_trip_ms / 1000);
        if (quality.mos >= 0) mos_.Observe(quality.mos);
        if (quality.oneway_ms > 0) oneway_.Increment(quality.oneway_ms / 1000);
    }

    void http(std::string_view route, int status, double seconds) {
        http_.Add({{"route", std::string(route)}, {"code", std::to_string(status)}}).Increment();
        http_duration_.Observe(seconds);
    }

    std::string scrape(const Readings& now) {
        double active = 0;
        double oneway = 0;
        double web = 0;
        double connected = 0;
        double lost = 0;
        double queued_s = 0;
        ai_.begin_scrape();
        for (const model::CallInfo& call : now.calls) {
            if (call.end || call.state == model::CallState::Ended) continue;
            take(call);
            ai_.take(call, true);
            active += 1;
            queued_s = std::max(queued_s,
                                static_cast<double>(call.stats.voice_queued_samples) /
                                    std::max(1U, call.stats.sample_rate_hz));
            if (call.is_oneway) oneway += 1;
            if (call.leg == model::LegKind::Web) web += 1;
            if (call.web.is_connected) connected += 1;
            if (call.web.is_lost) lost += 1;
        }
        web_legs_.Set(web);
        web_connected_.Set(connected);
        web_lost_.Set(lost);
        calls_active_.Set(active);
        calls_oneway_.Set(oneway);
        ai_buffer_.Set(queued_s);
        draining_.Set(now.draining ? 1 : 0);
        for (const model::AccountInfo& account : now.accounts) take(account);
        for (const model::WorkerStats& worker : now.workers) take(worker);
        realtime_.Set(!now.workers.empty() &&
                              std::all_of(now.workers.begin(),
                                          now.workers.end(),
                                          [](const auto& w) { return w.is_realtime; })
                          ? 1
                          : 0);
        take(now.signalling);
        raise(failed_ai_sessions_, static_cast<double>(now.failed_ai_sessions));
        ai_.take(now.ai_latencies);
        channels_.take(now.channels, now.late_mix_frames);
        store_.take(now.records, now.recordings);
        events_.take(now.events);
        connections_.take(now.connections, now.connection_counters);
        take(read_process_stats());
        return prometheus::TextSerializer().Serialize(registry_.Collect());
    }

private:
    // Adds what this call counted since it was looked at last.
    void take(const model::CallInfo& call) {
        Seen& seen = seen_[call.id];
        if (call.web.connect_ms >= 0 && !std::exchange(seen.is_connected, true))
            web_connect_.Observe(call.web.connect_ms / 1000);
        raise_by(web_restarts_, seen.restarts, call.web.restarts);
        raise_by(web_losses_, seen.losses, call.web.losses);
        Amounts& before = seen.amounts;
        const Amounts now = amounts_of(call.stats);
        for (std::size_t i = 0; i < kFlows; ++i) {
            if (now[i] <= before[i]) continue;
            auto amount = static_cast<double>(now[i] - before[i]);
            if (i == kTapDropped || i == kVoiceDropped) {
                amount /= std::max(1U, call.stats.sample_rate_hz);
            }
            Counter& into =
                i == kFill ? keepalive_.Add({{"source", fill_kind(call.fill)}}) : *flows_[i];
            into.Increment(amount);
        }
        before = now;
    }

    void take(const model::WorkerStats& worker) {
        const std::string index = std::to_string(worker.index);
        lateness_.Add({{"worker", index}, {"quantile", "0.5"}}).Set(worker.tick_p50_ms / 1000);
        lateness_.Add({{"worker", index}, {"quantile", "0.99"}}).Set(worker.tick_p99_ms / 1000);
        lateness_.Add({{"worker", index}, {"quantile", "1"}}).Set(worker.tick_max_ms / 1000);
        worker_calls_.Add({{"worker", index}}).Set(static_cast<double>(worker.calls));
        worker_cpu_.Add({{"worker", index}}).Set(worker.cpu_share);
        Counter& overruns = overruns_.Add({{"worker", index}});
        raise(overruns, static_cast<double>(worker.overruns));
    }

    void take(const model::AccountInfo& account) {
        const prometheus::Labels labels{{"account", account.name}};
        const bool is_registered = account.state == model::AccountState::Registered;
        account_registered_.Add(labels).Set(is_registered ? 1 : 0);
        account_insecure_.Add(labels).Set(account.is_insecure ? 1 : 0);
        raise(account_registrations_.Add(labels), static_cast<double>(account.registrations));
        raise(account_failures_.Add(labels), static_cast<double>(account.failures));
        raise(account_flow_losses_.Add(labels), static_cast<double>(account.flow_losses));
    }

    void take(const model::SignallingStats& sip) {
        raise(sip_malformed_, static_cast<double>(sip.malformed));
        raise(sip_refused_sources_, static_cast<double>(sip.refused_sources));
        raise(sip_retransmissions_, static_cast<double>(sip.retransmissions));
        raise(sip_dropped_, static_cast<double>(sip.dropped));
        raise(sip_ack_timeouts_, static_cast<double>(sip.ack_timeouts));
        // The counter has two sources: what the call room refused is in it already.
        for (const auto& [reason, total] : sip.refused_invites) {
            std::uint64_t& seen = seen_refusals_[reason];
            if (total > seen)
                refused(reason).Increment(static_cast<double>(total - std::exchange(seen, total)));
        }
        sip_dialogs_.Set(static_cast<double>(sip.dialogs));
        sip_transactions_.Set(static_cast<double>(sip.transactions));
    }

    void take(const ProcessStats& process) {
        raise(cpu_, process.cpu_seconds);
        rss_.Set(static_cast<double>(process.resident_bytes));
        fds_.Set(static_cast<double>(process.open_fds));
        max_fds_.Set(static_cast<double>(process.max_fds));
        threads_.Set(static_cast<double>(process.threads));
    }

    Counter& refused(model::EndReason reason) {
        return refused_.Add({{"class", std::string(model::name_of(model::class_of(reason)))},
                             {"reason", std::string(model::name_of(reason))}});
    }

    static void raise_by(Counter& counter, std::uint64_t& before, std::uint64_t now) {
        if (now > before) counter.Increment(static_cast<double>(now - before));
        before = now;
    }

    static void raise(Counter& counter, double to) {
        if (to > counter.Value()) counter.Increment(to - counter.Value());
    }

    Family<Counter>& counters(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
    }
    Family<Gauge>& gauges(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
    }
    Counter& counter(const char* name, const char* help) { return counters(name, help).Add({}); }
    Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }
    Histogram& histogram(const char* name, const char* help, const Buckets& buckets) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add({},
                                                                                          buckets);
    }

    prometheus::Registry registry_;
    AiMetrics ai_{registry_};
    ChannelMetrics channels_{registry_};
    StoreMetrics store_{registry_};
    EventMetrics events_{registry_};
    ConnectionMetrics connections_{registry_};
    Family<Counter>&calls_total_, &placed_, &refused_, &invites_, &packets_, &keepalive_, &dropped_;
    Family<Gauge>&lateness_, &worker_calls_, &worker_cpu_;
    Family<Counter>& overruns_;
    Family<Counter>& web_failed_;
    Family<Gauge>&account_registered_, &account_insecure_;
    Family<Counter>&account_registrations_, &account_failures_, &account_flow_losses_, &http_;
    Gauge &calls_active_, &calls_oneway_, &ai_buffer_, &web_legs_, &web_connected_, &web_lost_,
        &draining_, &realtime_, &rss_, &fds_, &max_fds_, &threads_, &sip_dialogs_,
        &sip_transactions_;
    Counter &cpu_, &diverted_, &zero_packet_, &oneway_, &sip_malformed_, &sip_refused_sources_,
        &sip_retransmissions_, &sip_dropped_, &sip_ack_timeouts_, &failed_ai_sessions_,
        &web_restarts_, &web_losses_;
    Histogram &setup_, &duration_, &gap_, &jitter_, &round_trip_, &mos_, &web_connect_,
        &http_duration_;
    std::array<Counter*, kFlows> flows_{};
    std::unordered_map<model::CallId, Seen> seen_;
    std::map<model::EndReason, std::uint64_t> seen_refusals_;  ///< of signalling
};

Metrics::Metrics(std::string_view version) : impl_(std::make_unique<Impl>(version)) {}
Metrics::~Metrics() = default;

void Metrics::on_call_answered(const model::CallInfo& call) {
    impl_->answered(call);
}

void Metrics::on_call_ended(const model::CallInfo& call) {
    impl_->ended(call);
}

void Metrics::on_bot_verb(std::string_view verb, std::string_view result) {
    impl_->ai().on_verb(verb, result);
}

void Metrics::on_bot_lost(std::string_view protocol, std::string_view why) {
    impl_->ai().on_lost(protocol, why);
}

void Metrics::on_bot_back(double gap_s) {
    impl_->ai().on_back(gap_s);
}

void Metrics::on_ai_left(const model::CallInfo& call) {
    impl_->ai().take(call, false);
    impl_->ai().forget(call.id);
}

void Metrics::on_http(std::string_view route, int status, double seconds) {
    impl_->http(route, status, seconds);
}

std::string Metrics::scrape(const Readings& now) {
    return impl_->scrape(now);
}

}  // namespace offhook::api
