#pragma once

#include <atomic>
#include <cstdint>

namespace offhook::model {

/// Where the sound of a sent packet came from.
enum class FrameSource : std::uint8_t { None, Ai, Fill, Dtmf };

/// Live counters of one leg. Written by its media worker only (relaxed), read by anybody (relaxed):
/// numbers of one read need not belong to the same instant. Inbound = from the caller, outbound =
/// to the caller.
struct LegCounters {
    template <class T>
    using Cell = std::atomic<T>;

    // outbound
    Cell<std::uint64_t> sent_packets{0};
    Cell<std::uint64_t> sent_bytes{0};  ///< RTP payload bytes (RFC 3550 SR octet count)
    Cell<std::uint64_t> sent_ai_frames{0};
    Cell<std::uint64_t> sent_fill_frames{0};
    Cell<std::uint64_t> sent_dtmf_packets{0};
    Cell<std::uint64_t> send_errors{0};
    Cell<std::uint64_t> skipped_frames{0};  ///< time given up after a stall of more than 60 ms
    Cell<std::uint64_t> held_frames{0};     ///< ticks not sent because the peer asked for nothing
    Cell<std::int64_t> first_sent_ns{0};    ///< CLOCK_MONOTONIC; 0: none yet
    Cell<std::int64_t> last_sent_ns{0};
    Cell<std::int64_t> max_gap_ns{0};  ///< longest time between two sent packets, hold excepted
    Cell<FrameSource> last_source{FrameSource::None};
    Cell<FrameSource> frame_source{
        FrameSource::Fill};  ///< of the frame `linekeeper` is pushing now, read by the sink
    Cell<std::int32_t> sent_level_cdb{
        -12700};  ///< RMS of the last second, 1/100 dBov, -12700 = digital silence

    // inbound
    Cell<std::uint64_t> received_packets{0};  ///< accepted ones
    Cell<std::uint64_t> received_bytes{0};
    Cell<std::uint64_t> lost_packets{0};  ///< never came in time; concealed
    Cell<std::uint64_t> late_packets{0};
    Cell<std::uint64_t> duplicate_packets{0};
    Cell<std::uint64_t> reordered_packets{0};
    Cell<std::uint64_t> refused_packets{
        0};  ///< malformed, foreign source or SSRC, unknown payload type
    Cell<std::uint64_t> srtp_auth_failures{0};  ///< another key, or forged; RTCP too
    Cell<std::uint64_t> srtp_replays{0};        ///< genuine once, seen before or too old
    Cell<std::uint64_t> concealed_samples{0};
    Cell<std::uint64_t> comfort_noise_samples{0};  ///< made while the caller's side sent nothing on
                                                   ///< purpose (RFC 3389, Opus DTX)
    Cell<bool> is_paused{false};  ///< such a pause is on: that nothing comes is no alarm
    Cell<std::uint64_t> received_dtmf_events{0};
    Cell<std::int64_t> first_received_ns{0};
    Cell<std::int64_t> last_received_ns{0};
    Cell<std::int64_t> jitter_ns{0};         ///< RFC 3550 A.8
    Cell<std::int64_t> playout_delay_ns{0};  ///< what the jitter ring adds now
    Cell<std::int32_t> received_level_cdb{-12700};

    // what the far end reports (RTCP RR)
    Cell<std::int64_t> round_trip_ns{-1};  ///< -1: not known
    Cell<std::int64_t> remote_lost_packets{0};
    Cell<std::int64_t> remote_jitter_ns{-1};
    Cell<std::uint64_t> rtcp_received{0};
    Cell<std::int64_t> last_rtcp_received_ns{0};
    Cell<std::uint64_t> rtcp_sent{0};

    // the AI side
    Cell<std::uint64_t> tapped_samples{0};
    Cell<std::uint64_t> voice_samples{0};    ///< AI samples that `linekeeper` put into frames
    Cell<std::uint64_t> voice_underruns{0};  ///< the AI's sound ran dry inside an utterance

    /// Adds without a locked instruction: there is one writer.
    template <class T>
    static void add(Cell<T>& cell, T value) noexcept {
        cell.store(static_cast<T>(cell.load(std::memory_order_relaxed) + value),
                   std::memory_order_relaxed);
    }
    template <class T>
    static void set(Cell<T>& cell, T value) noexcept {
        cell.store(value, std::memory_order_relaxed);
    }
    template <class T>
    static T get(const Cell<T>& cell) noexcept {
        return cell.load(std::memory_order_relaxed);
    }
};

}  // namespace offhook::model
