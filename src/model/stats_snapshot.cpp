#include "model/stats_snapshot.h"

#include <algorithm>

namespace offhook::model {
namespace {

double ms(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

// The worker may have written a later time than the reader's "now": that is no time ago, not
// "never".
double since_ms(std::int64_t then_ns, std::int64_t now_ns) {
    return then_ns == 0 ? -1.0 : std::max(0.0, ms(now_ns - then_ns));
}

double optional_ms(std::int64_t ns) {
    return ns < 0 ? -1.0 : ms(ns);
}

// 32.32 since 1900 -> ns since 1970.
std::int64_t realtime_of_ntp(std::uint64_t ntp) {
    constexpr std::int64_t kNtpEpochS = 2'208'988'800;
    if (ntp == 0) return 0;
    const std::uint64_t fraction_ns = (ntp & 0xFFFF'FFFFU) * 1'000'000'000U >> 32;
    return (static_cast<std::int64_t>(ntp >> 32) - kNtpEpochS) * 1'000'000'000 +
           static_cast<std::int64_t>(fraction_ns);
}

SoundStats sound_of(const SoundCounters& c) {
    const auto get = [](const auto& cell) { return LegCounters::get(cell); };
    return {.level_now_dbov = get(c.level_now_cdb) / 100.0,
            .samples = get(c.samples),
            .clipped_samples = get(c.clipped_samples),
            .seconds = get(c.seconds),
            .silent_seconds = get(c.silent_seconds),
            .energy_s = get(c.energy_s),
            .active_energy_s = get(c.active_energy_s)};
}

void take_report_facts(const LegCounters& c, LegStats& s) {
    const auto get = [](const auto& cell) { return LegCounters::get(cell); };
    s.sent_sound = sound_of(c.sent_sound);
    s.received_sound = sound_of(c.received_sound);
    s.sent_level_now_dbov = s.sent_sound.level_now_dbov;
    s.received_level_now_dbov = s.received_sound.level_now_dbov;
    s.local_ssrc = get(c.local_ssrc);
    s.remote_ssrc = get(c.remote_ssrc);
    s.received_header_bytes = get(c.received_header_bytes);
    s.rtcp_sent_bytes = get(c.rtcp_sent_bytes);
    s.rtcp_received_bytes = get(c.rtcp_received_bytes);
    s.loss_runs = get(c.loss_runs);
    s.concealment_events = get(c.concealment_events);
    s.decoded_samples = get(c.decoded_samples);
    s.jitter_delay_s = get(c.jitter_delay_s);
    s.remote_reports = get(c.remote_reports);
    s.remote_fraction_lost = get(c.remote_fraction_lost) / 256.0;
    s.total_round_trip_ms = ms(get(c.total_round_trip_ns));
    s.round_trips = get(c.round_trips);
    s.sender_reports = get(c.sender_reports);
    s.remote_sr_realtime_ns = realtime_of_ntp(get(c.remote_sr_ntp));
    s.remote_sent_packets = get(c.remote_sent_packets);
    s.remote_sent_bytes = get(c.remote_sent_bytes);
}

// What we send begins in the lower half of the sequence numbers, so that a receiver that missed the
// first packets counts the same wraps.
std::int64_t acknowledged_of(const LegCounters& c) {
    const std::int64_t first = LegCounters::get(c.first_sequence);
    const std::int64_t highest = LegCounters::get(c.acknowledged_sequence);
    if (first < 0 || highest < 0) return -1;
    const std::int64_t lost = std::max<std::int64_t>(0, LegCounters::get(c.remote_lost_packets));
    return std::max<std::int64_t>(0, highest - first + 1 - lost);
}

}  // namespace

LegStats snapshot_of(const LegCounters& c, std::int64_t answered_ns, std::int64_t now_ns) {
    const auto get = [](const auto& cell) { return LegCounters::get(cell); };
    LegStats s;
    s.sent_packets = get(c.sent_packets);
    s.sent_bytes = get(c.sent_bytes);
    s.sent_ai_frames = get(c.sent_ai_frames);
    s.sent_fill_frames = get(c.sent_fill_frames);
    s.sent_dtmf_packets = get(c.sent_dtmf_packets);
    s.send_errors = get(c.send_errors);
    s.skipped_frames = get(c.skipped_frames);
    s.held_frames = get(c.held_frames);
    const std::int64_t first_sent = get(c.first_sent_ns);
    if (first_sent != 0 && answered_ns != 0)
        s.first_sent_after_answer_ms = ms(first_sent - answered_ns);
    s.since_last_sent_ms = since_ms(get(c.last_sent_ns), now_ns);
    s.max_gap_ms = ms(get(c.max_gap_ns));
    s.long_gaps = get(c.long_gaps);
    s.last_long_gap_ms = ms(get(c.last_long_gap_ns));
    s.last_source = get(c.last_source);
    s.sent_level_dbov = get(c.sent_level_cdb) / 100.0;
    s.encoded_frames = get(c.encoded_frames);
    s.since_last_encoded_ms = since_ms(get(c.last_encoded_ns), now_ns);
    s.arrived_packets = get(c.arrived_packets);
    s.since_last_arrived_ms = since_ms(get(c.last_arrived_ns), now_ns);
    s.received_packets = get(c.received_packets);
    s.received_bytes = get(c.received_bytes);
    s.lost_packets = get(c.lost_packets);
    s.late_packets = get(c.late_packets);
    s.duplicate_packets = get(c.duplicate_packets);
    s.reordered_packets = get(c.reordered_packets);
    s.refused_packets = get(c.refused_packets);
    s.refused_types = get(c.refused_types);
    s.refused_sources = get(c.refused_sources);
    s.refused_ssrcs = get(c.refused_ssrcs);
    s.last_refused_type = get(c.last_refused_type);
    s.undecodable_packets = get(c.undecodable_packets);
    s.decoded_packets = get(c.decoded_packets);
    s.since_last_decoded_ms = since_ms(get(c.last_decoded_ns), now_ns);
    s.srtp_auth_failures = get(c.srtp_auth_failures);
    s.srtp_replays = get(c.srtp_replays);
    s.concealed_samples = get(c.concealed_samples);
    s.comfort_noise_samples = get(c.comfort_noise_samples);
    s.is_paused = get(c.is_paused);
    s.received_dtmf_events = get(c.received_dtmf_events);
    s.since_last_received_ms = since_ms(get(c.last_received_ns), now_ns);
    s.jitter_ms = ms(get(c.jitter_ns));
    s.playout_delay_ms = ms(get(c.playout_delay_ns));
    s.received_level_dbov = get(c.received_level_cdb) / 100.0;
    s.round_trip_ms = optional_ms(get(c.round_trip_ns));
    s.remote_jitter_ms = optional_ms(get(c.remote_jitter_ns));
    s.remote_lost_packets = get(c.remote_lost_packets);
    s.rtcp_received = get(c.rtcp_received);
    s.since_last_rtcp_ms = since_ms(get(c.last_rtcp_received_ns), now_ns);
    s.rtcp_sent = get(c.rtcp_sent);
    s.acknowledged_packets = acknowledged_of(c);
    s.since_last_acknowledged_ms = since_ms(get(c.last_acknowledged_ns), now_ns);
    s.tapped_samples = get(c.tapped_samples);
    s.voice_samples = get(c.voice_samples);
    s.voice_underruns = get(c.voice_underruns);
    take_report_facts(c, s);
    return s;
}

}  // namespace offhook::model
