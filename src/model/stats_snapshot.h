#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/call_end.h"
#include "model/leg_counters.h"

namespace offhook::model {

/// A copy of SoundCounters. Levels in dBov, -127: digital silence.
struct SoundStats {
    double level_now_dbov = -127;  ///< power of the last 200 ms
    std::uint64_t samples = 0, clipped_samples = 0, seconds = 0, silent_seconds = 0;
    double energy_s = 0, active_energy_s = 0;
};

/// A copy of a leg's counters at one moment, plus what only the copying side knows. Durations in
/// the unit named.
struct LegStats {
    std::uint64_t sent_packets = 0, sent_bytes = 0, sent_ai_frames = 0, sent_fill_frames = 0,
                  sent_dtmf_packets = 0;
    std::uint64_t send_errors = 0, skipped_frames = 0, held_frames = 0;
    double first_sent_after_answer_ms = -1;  ///< -1: nothing sent yet
    double since_last_sent_ms = -1;
    double max_gap_ms = 0;
    std::uint64_t long_gaps = 0;  ///< above `[alarm] rtp_gap_ms`
    double last_long_gap_ms = 0;  ///< how long the last of them was
    FrameSource last_source = FrameSource::None;
    double sent_level_dbov = -127, sent_level_now_dbov = -127;  ///< of a second, of 200 ms
    std::uint64_t encoded_frames = 0;                           ///< of 20 ms, sent or not
    double since_last_encoded_ms = -1;

    std::uint64_t arrived_packets = 0;  ///< before anybody judged them
    double since_last_arrived_ms = -1;
    std::uint64_t received_packets = 0, received_bytes = 0, lost_packets = 0, late_packets = 0;
    std::uint64_t duplicate_packets = 0, reordered_packets = 0, refused_packets = 0;
    std::uint64_t concealed_samples = 0, comfort_noise_samples = 0, received_dtmf_events = 0;
    std::uint64_t srtp_auth_failures = 0, srtp_replays = 0;
    std::uint64_t refused_types = 0, refused_sources = 0, refused_ssrcs = 0;
    int last_refused_type = -1;
    std::uint64_t undecodable_packets = 0, decoded_packets = 0;
    double since_last_decoded_ms = -1;
    double since_last_received_ms = -1;
    bool is_paused = false;  ///< the caller's side sends nothing on purpose (comfort noise, DTX)
    double jitter_ms = 0, playout_delay_ms = 0;
    double received_level_dbov = -127, received_level_now_dbov = -127;

    double round_trip_ms = -1, remote_jitter_ms = -1;  ///< -1: no RTCP report yet
    std::int64_t remote_lost_packets = 0;
    std::uint64_t rtcp_received = 0, rtcp_sent = 0;
    double since_last_rtcp_ms = -1;
    /// Of ours, that the far end has reported up to its highest, without those it misses; -1: no
    /// report.
    std::int64_t acknowledged_packets = -1;
    double since_last_acknowledged_ms = -1;  ///< since that rose

    SoundStats sent_sound, received_sound;
    std::uint32_t local_ssrc = 0, remote_ssrc = 0;  ///< the latter is 0 until a packet was accepted
    std::uint64_t received_header_bytes = 0, rtcp_sent_bytes = 0, rtcp_received_bytes = 0;
    std::uint64_t loss_runs = 0, concealment_events = 0, decoded_samples = 0;
    double jitter_delay_s = 0;  ///< summed over `decoded_samples`
    std::uint64_t remote_reports = 0;
    double remote_fraction_lost = 0;  ///< 0 to 1, between the last two reports
    double total_round_trip_ms = 0;   ///< sum of `round_trips` measurements
    std::uint64_t round_trips = 0;
    std::uint64_t sender_reports = 0;
    std::int64_t remote_sr_realtime_ns = 0;  ///< since 1970, on the far end's clock; 0: none yet
    std::uint32_t remote_sent_packets = 0, remote_sent_bytes = 0;

    std::uint64_t tapped_samples = 0, tap_dropped_samples = 0;
    std::uint64_t voice_samples = 0, voice_queued_samples = 0, voice_dropped_samples = 0,
                  voice_underruns = 0;
    std::uint32_t sample_rate_hz = 8000;

    // The AI's side of the port: -1, 0 and false while nothing happened, and of a leg in a channel.
    double since_last_tapped_ms = -1;
    std::uint64_t heard_samples = 0;  ///< of the tap, that the AI's thread took
    double since_last_heard_ms = -1;
    std::uint64_t given_samples = 0;  ///< that went into the queue to the line
    double since_last_given_ms = -1;
    double since_last_voice_left_ms = -1;
    bool is_voice_muted = false, is_voice_paused = false;
};

/// Copies `counters`. `answered_ns` (0: not answered) and `now_ns` are CLOCK_MONOTONIC. Ring
/// figures stay 0, and what is said of the AI's side of the port.
[[nodiscard]] LegStats snapshot_of(const LegCounters& counters,
                                   std::int64_t answered_ns,
                                   std::int64_t now_ns);

/// Health of one media worker, as its tick sees it.
struct WorkerStats {
    int index = 0;
    std::uint64_t calls = 0;
    double tick_p50_ms = 0, tick_p99_ms = 0, tick_max_ms = 0;  ///< lateness over the last 3 s
    std::uint64_t ticks = 0, overruns = 0;  ///< overruns: frames skipped after stalls
    double cpu_share = 0;                   ///< of one core, 0-1, over the last second
    bool is_realtime = false;               ///< SCHED_FIFO in force
};

/// What the SIP side counted since the start; the last two are current values.
struct SignallingStats {
    std::uint64_t malformed = 0;  ///< messages that were no SIP, lacked a header or broke a bound
    std::uint64_t refused_sources = 0;  ///< datagrams and connections from outside `[sip] allow`
    std::uint64_t retransmissions = 0;  ///< messages that we sent again
    std::uint64_t dropped = 0;          ///< requests not taken because a bound was reached
    std::uint64_t requests = 0;         ///< of any method, without retransmissions
    std::uint64_t ack_timeouts = 0;     ///< calls whose 200 was never acknowledged
    std::uint64_t dialogs = 0;
    std::uint64_t transactions = 0;  ///< also finished ones whose answer may be asked again
    /// INVITEs that signalling refused by itself, so that they never became a call. The reasons are
    /// those of the model's EndReason; only ones that happened.
    std::vector<std::pair<EndReason, std::uint64_t>> refused_invites{};
};

[[nodiscard]] constexpr const char* name_of(FrameSource source) noexcept {
    switch (source) {
        case FrameSource::Ai:
            return "ai";
        case FrameSource::Fill:
            return "fill";
        case FrameSource::Dtmf:
            return "dtmf";
        case FrameSource::None:
            break;
    }
    return "none";
}

}  // namespace offhook::model
