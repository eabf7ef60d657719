#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "caller/endpoint.h"
#include "caller/spread_histogram.h"
#include "model/codec.h"
#include "rtp/packet.h"

namespace offhook::caller {

inline constexpr std::int64_t kPacketNs = std::int64_t{model::kPtimeMs} * 1'000'000;

/// What one stream was like between the 200 and the end. Times `*_at_ns` count from the 200; -1:
/// never happened.
struct StreamFigures {
    std::int64_t listened_ns = 0;        ///< from the 200's arrival to our BYE (or theirs)
    std::uint64_t received_packets = 0;  ///< of the stream, in that time; duplicates excluded
    std::uint64_t early_packets = 0;     ///< before the 200
    std::uint64_t lost_packets = 0;      ///< sequence numbers never seen
    std::uint64_t duplicate_packets = 0;
    std::uint64_t reordered_packets = 0;
    std::uint64_t sequence_breaks = 0;  ///< jumps beyond repair (> 3000) within one SSRC
    std::uint64_t timestamp_breaks =
        0;  ///< steps that are not (20 ms of clock) x (step of the sequence)
    std::uint64_t foreign_packets = 0;    ///< from another source address
    std::uint64_t malformed_packets = 0;  ///< neither RTP nor RTCP
    std::uint64_t rtcp_packets = 0;
    std::uint64_t event_packets = 0;          ///< telephone-event (RFC 4733)
    std::uint64_t other_payload_packets = 0;  ///< a payload type that was not negotiated
    std::uint32_t ssrcs = 0;                  ///< different ones, counted up to 16

    std::int64_t first_rtp_ns =
        -1;  ///< first packet after the 200; 0 when the stream was already running
    std::int64_t last_packet_at_ns = -1;
    std::int64_t max_gap_ns =
        0;  ///< the time from the last packet to the end counts when it is longer than 20 ms
    std::int64_t max_gap_at_ns = -1;    ///< where it began
    std::uint64_t max_gap_missing = 0;  ///< sequence numbers missing across it
    bool max_gap_is_tail = false;       ///< it lasted until the end
    std::int64_t second_ssrc_at_ns = -1;
    std::int64_t first_loss_at_ns = -1;
    std::int64_t first_timestamp_break_at_ns = -1;
    Endpoint source;                    ///< where the stream came from
    bool is_unexpected_source = false;  ///< that was not the address in the SDP
    Endpoint first_foreign;
    SpreadHistogram gaps{kPacketNs};  ///< inter-arrival times

    /// Whole packet times in `listened_ns`.
    [[nodiscard]] std::uint64_t expected_packets() const noexcept;
    /// Packets against 50/s. A single packet too few or too many is the edge of the window, not a
    /// fault, and counts as none; a surplus is reported above 100.
    [[nodiscard]] double rate_percent() const noexcept;
    /// How many packets off, less that one; negative: too few.
    [[nodiscard]] std::int64_t surplus_packets() const noexcept;
};

/// Measures one received stream: arrival times are given, nothing is stored per packet.
/// @thread one
class StreamMeter {
public:
    enum class Verdict { Audio, Event, Other, Late, Duplicate, Foreign, Rtcp, Malformed, AfterEnd };
    struct Judged {
        Verdict verdict = Verdict::Malformed;
        rtp::PacketView packet;         ///< valid as long as the datagram
        std::uint32_t lost_before = 0;  ///< sequence numbers skipped right before this one
        bool is_new_source = false;     ///< first packet, or first of another SSRC
    };

    explicit StreamMeter(model::Codec codec) noexcept;

    /// The 200 came. @param source address in its SDP, if it had one
    void answered(std::int64_t at_ns,
                  const Endpoint& source,
                  std::uint8_t payload_type,
                  std::optional<std::uint8_t> event_type) noexcept;
    /// The peer moved its stream (re-INVITE).
    void moved(const Endpoint& source) noexcept { expected_source_ = source; }
    /// One datagram on the call's socket. @param arrival_ns the kernel's stamp, on the clock of
    /// `answered`
    Judged packet(std::span<const std::uint8_t> datagram,
                  const Endpoint& from,
                  std::int64_t arrival_ns);
    /// The call is over; later packets do not count. The first call decides.
    void finish(std::int64_t at_ns) noexcept;

    [[nodiscard]] const StreamFigures& figures() const noexcept { return figures_; }

private:
    bool accept_source(const Endpoint& from) noexcept;
    void note_ssrc(std::uint32_t ssrc, std::int64_t arrival_ns, Judged& judged) noexcept;
    void judge_sequence(std::int64_t arrival_ns, Judged& judged) noexcept;
    void judge_timestamp(const rtp::PacketView& packet, std::int64_t arrival_ns) noexcept;
    void judge_arrival(std::int64_t arrival_ns, std::uint32_t lost_before);
    void restart_sequence(std::uint16_t sequence) noexcept;
    void close_sequence() noexcept;
    [[nodiscard]] std::int64_t since_answer(std::int64_t at_ns) const noexcept;

    const std::uint32_t ticks_per_packet_;
    StreamFigures figures_;
    std::uint8_t payload_type_;
    std::optional<std::uint8_t> event_type_;
    Endpoint expected_source_;
    std::int64_t answered_ns_ = -1;
    std::int64_t last_arrival_ns_ = -1;
    bool is_finished_ = false;

    std::array<std::uint32_t, 16> known_ssrcs_{};
    std::uint32_t ssrc_ = 0;
    std::int64_t base_ = 0;  ///< extended sequence numbers of the current run
    std::int64_t highest_ = -1;
    std::uint64_t window_ = 0;  ///< bit i: highest_ - i was seen
    std::uint64_t unique_ = 0;
    bool has_audio_ = false;
    std::int64_t audio_sequence_ = 0;
    std::uint32_t audio_timestamp_rtp_ = 0;
};

}  // namespace offhook::caller
