#pragma once

#include <atomic>
#include <cstdint>

namespace offhook::model {

/// Where the sound of a sent packet came from.
enum class FrameSource : std::uint8_t { None, Ai, Fill, Dtmf };

/// How loud one direction is, as its worker measures it on every frame. dBov: 0 is a square wave of
/// full scale (32,767).
struct SoundCounters {
    template <class T>
    using Cell = std::atomic<T>;

    Cell<std::int32_t> level_now_cdb{-12700};  ///< RMS of the last 200 ms, 1/100 dBov
    Cell<std::uint64_t> samples{0};            ///< at the codec's sample rate
    Cell<std::uint64_t> clipped_samples{0};    ///< 32,124 and more, the most that G.711 can say
    Cell<std::uint64_t> seconds{0};            ///< whole ones that were measured
    Cell<std::uint64_t> silent_seconds{0};     ///< those below -60 dBov
    Cell<double> energy_s{0};         ///< sum of (sample / full scale)^2 times its duration
    Cell<double> active_energy_s{0};  ///< the same of the seconds that were not silent
};

/// The address that packets were accepted from last. A reader may see halves of two while it
/// changes.
struct SourceCells {
    std::atomic<std::uint64_t> high{0}, low{0};  ///< IPv6, or IPv4 mapped; network byte order
    std::atomic<std::uint16_t> port{0};          ///< 0: none yet
    std::atomic<std::uint64_t> changes{0};       ///< the first counts
};

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
    /// The longest such time that ended in the window of this number. Who samples opens the next
    /// window (`gap_window`), the only cell that is not the worker's to write.
    Cell<std::int64_t> window_gap_ns{0};
    Cell<std::uint32_t> window_of_gap{0};
    mutable Cell<std::uint32_t> gap_window{0};
    Cell<std::uint64_t> long_gaps{0};        ///< longer than the session's limit
    Cell<std::int64_t> last_long_gap_ns{0};  ///< how long the last of them was
    Cell<FrameSource> last_source{FrameSource::None};
    Cell<FrameSource> frame_source{
        FrameSource::Fill};  ///< of the frame `linekeeper` is pushing now, read by the sink
    Cell<std::uint64_t> encoded_frames{0};  ///< sent or not
    Cell<std::int64_t> last_encoded_ns{0};
    Cell<std::int64_t> first_sequence{-1};  ///< RTP sequence number of the first packet; -1: none
    Cell<std::int32_t> sent_level_cdb{
        -12700};  ///< RMS of the last second, 1/100 dBov, -12700 = digital silence

    // inbound
    /// Whatever came where RTP is due, before anybody judged it; RTCP on the same port is not counted.
    Cell<std::uint64_t> arrived_packets{0};
    Cell<std::int64_t> last_arrived_ns{0};
    Cell<std::uint64_t> received_packets{0};  ///< accepted ones
    Cell<std::uint64_t> received_bytes{0};
    Cell<std::uint64_t> lost_packets{0};  ///< never came in time; concealed
    Cell<std::uint64_t> late_packets{0};
    Cell<std::uint64_t> duplicate_packets{0};
    Cell<std::uint64_t> reordered_packets{0};
    Cell<std::uint64_t> refused_packets{
        0};  ///< malformed, foreign source or SSRC, unknown payload type; the next three are in it
    Cell<std::uint64_t> refused_types{0};
    Cell<std::uint64_t> refused_sources{0};      ///< another address or port than the locked one
    Cell<std::uint64_t> refused_ssrcs{0};        ///< of the locked source
    Cell<std::int32_t> last_refused_type{-1};    ///< payload type; -1: none
    Cell<std::uint64_t> undecodable_packets{0};  ///< accepted, and no sound for the decoder
    Cell<std::uint64_t> decoded_packets{0};      ///< by us; a stock decoder is not seen
    Cell<std::int64_t> last_decoded_ns{0};
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
    /// Extended highest sequence number that the last report about us had (RFC 3550 §6.4.1); -1: none
    /// came.
    Cell<std::int64_t> acknowledged_sequence{-1};
    Cell<std::int64_t> last_acknowledged_ns{0};  ///< when that last rose
    Cell<std::uint64_t> rtcp_sent{0};

    // for quality and the W3C report (stats room)
    SoundCounters sent_sound, received_sound;
    SourceCells remote_source;  ///< of phone legs
    Cell<std::uint32_t> local_ssrc{0};
    Cell<std::uint32_t> remote_ssrc{0};            ///< of the packet accepted last
    Cell<std::uint64_t> received_header_bytes{0};  ///< RTP headers, extensions and padding
    Cell<std::uint64_t> rtcp_sent_bytes{0};        ///< of phone legs: webrtcbin writes its own
    Cell<std::uint64_t> rtcp_received_bytes{0};
    Cell<std::uint64_t> loss_runs{0};  ///< lost packets in a row count once
    Cell<std::uint64_t> concealment_events{0};
    Cell<std::uint64_t> decoded_samples{0};       ///< that came out of the jitter ring
    Cell<double> jitter_delay_s{0};               ///< the time each of them spent in it, summed
    Cell<std::uint64_t> remote_reports{0};        ///< report blocks about us
    Cell<std::uint32_t> remote_fraction_lost{0};  ///< of the last one, 1/256
    Cell<std::int64_t> total_round_trip_ns{0};
    Cell<std::uint64_t> round_trips{0};     ///< how many are in that sum
    Cell<std::uint64_t> sender_reports{0};  ///< SRs of the far end; its figures are of the last
    Cell<std::uint64_t> remote_sr_ntp{0};   ///< 32.32, seconds since 1900, on its clock
    Cell<std::uint32_t> remote_sent_packets{0};
    Cell<std::uint32_t> remote_sent_bytes{0};

    // the AI side
    Cell<std::uint64_t> tapped_samples{0};
    Cell<std::uint64_t> voice_samples{0};    ///< AI samples that `linekeeper` put into frames
    Cell<std::uint64_t> voice_underruns{0};  ///< the AI's sound ran dry inside an utterance

    /// The longest time between two sent packets since this was asked last; 0: none was sent.
    /// @thread one, that of the sampler
    [[nodiscard]] std::int64_t take_gap_ns() const noexcept {
        const std::uint32_t window = get(gap_window);
        const std::int64_t gap_ns = get(window_of_gap) == window ? get(window_gap_ns) : 0;
        gap_window.store(window + 1, std::memory_order_relaxed);
        return gap_ns;
    }
    /// @thread the worker
    void note_gap(std::int64_t gap_ns) noexcept {
        if (gap_ns > get(max_gap_ns)) set(max_gap_ns, gap_ns);
        const std::uint32_t window = get(gap_window);
        const bool is_first = get(window_of_gap) != window;
        if (is_first || gap_ns > get(window_gap_ns)) set(window_gap_ns, gap_ns);
        if (is_first) set(window_of_gap, window);
    }

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
