#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caller/sip_dialog.h"
#include "caller/spread_histogram.h"
#include "caller/stream_meter.h"
#include "model/codec.h"

namespace offhook::caller {

/// One call of a run, after it ended.
struct CallResult {
    int index = 0;  ///< in order of their INVITEs, from 0
    std::string sip_call_id;
    Ending ending = Ending::None;
    int status = 0;               ///< final SIP status; 0: none
    std::string ending_text;      ///< a sentence, escaped; may be empty
    bool was_answered = false;    ///< with a 200 that we could talk to
    std::int64_t answer_ns = -1;  ///< INVITE sent to 200 received
    std::uint32_t invite_retransmissions = 0;
    std::uint64_t sent_packets = 0;
    StreamFigures stream;  ///< `gaps` is emptied in large runs; the figures below stay
    std::int64_t gap_p50_ns = 0, gap_p99_ns = 0;
    std::int64_t deviation_p50_ns = 0, deviation_p99_ns = 0, deviation_max_ns = 0;
};

/// A whole run.
struct RunResult {
    std::string target;     ///< as called, escaped
    std::string transport;  ///< "udp:127.0.0.1:5060"
    model::Codec codec = model::Codec::Pcmu;
    std::optional<model::SrtpSuite> srtp;  ///< agreed on; empty: plain RTP
    std::uint64_t srtp_refused = 0;        ///< packets that were not genuine, or sent again
    int wanted_calls = 0;
    bool was_interrupted = false;
    std::int64_t wall_ns = 0;
    std::vector<CallResult> calls;
    SpreadHistogram gaps{kPacketNs};  ///< inter-arrival times of all calls

    SpreadHistogram round_trips;  ///< of markers in the sound; empty: not measured
    std::uint64_t lost_markers = 0;

    // our own cost and quality
    double cpu_ms = 0;        ///< of the thread, set-up of the sound not included
    double call_seconds = 0;  ///< sum of the answered time of all calls
    SpreadHistogram send_lateness;
    std::uint64_t sent_packets = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t skipped_frames = 0;  ///< not sent because we were more than 60 ms late
    std::uint64_t malformed_sip = 0;
    std::string recording_error;  ///< empty: none
};

/// Figures of a run as one judges them. Those that were not measured are negative.
struct Summary {
    int calls = 0, answered = 0, hung_up = 0;  ///< hung_up: ended by the far end before we did
    double answered_percent = 0;
    double answer_p50_ms = -1, answer_p99_ms = -1, answer_max_ms = -1;
    double first_rtp_p50_ms = -1, first_rtp_p99_ms = -1,
           first_rtp_max_ms = -1;  ///< -1 as well when a call had none
    int without_rtp = 0;
    std::uint64_t received_packets = 0, expected_packets = 0;
    double rate_percent = -1, worst_rate_percent = -1;
    double gap_p50_ms = -1, gap_p99_ms = -1, max_gap_ms = -1;
    double deviation_p50_ms = -1, deviation_p99_ms = -1, deviation_max_ms = -1;
    std::uint64_t lost = 0, duplicates = 0, reordered = 0, sequence_breaks = 0,
                  timestamp_breaks = 0, foreign = 0;
    std::uint32_t max_ssrcs = 0;
    double round_trip_p50_ms = -1, round_trip_p99_ms = -1, round_trip_max_ms = -1;
    std::uint64_t markers_back = 0, markers_lost = 0;
    std::uint64_t invite_retransmissions = 0;
    double send_late_p50_ms = 0, send_late_p99_ms = 0, send_late_max_ms = 0;
    double cpu_ms_per_call_second = 0;
};

[[nodiscard]] Summary summarise(const RunResult& run);

}  // namespace offhook::caller
