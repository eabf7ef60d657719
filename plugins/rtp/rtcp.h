#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace offhook::rtp {

/// Reception statistics of one source (RFC 3550 A.1, A.3, A.8), and the report block made of them.
class ReceptionStats {
public:
    explicit ReceptionStats(std::uint32_t clock_hz) noexcept : clock_hz_(clock_hz) {}
    /// One accepted RTP packet; duplicates and late ones too. @thread the media worker
    void received(std::uint16_t sequence,
                  std::uint32_t timestamp_rtp,
                  std::int64_t now_ns) noexcept;
    void reset() noexcept;
    [[nodiscard]] std::int64_t jitter_ns() const noexcept { return jitter_ns_; }
    struct Block {
        std::uint8_t fraction_lost = 0;    ///< since the last `take_block`, 1/256
        std::int32_t cumulative_lost = 0;  ///< 24-bit signed, clamped
        std::uint32_t extended_highest = 0;
        std::uint32_t jitter_rtp = 0;
    };
    /// The block for the report that goes out now; starts the next interval.
    [[nodiscard]] Block take_block() noexcept;
    [[nodiscard]] bool any() const noexcept { return received_ != 0; }

private:
    void start_at(std::uint16_t sequence) noexcept;

    std::uint32_t clock_hz_;
    std::uint32_t base_ = 0;    ///< first sequence number
    std::uint32_t cycles_ = 0;  ///< wraps so far, shifted left by 16
    std::uint16_t highest_ = 0;
    std::uint16_t next_of_jump_ = 0;  ///< what would confirm that the sequence jumped
    bool maybe_jumped_ = false;
    bool has_timing_ = false;
    std::uint32_t received_ = 0;
    std::uint32_t expected_prior_ = 0;
    std::uint32_t received_prior_ = 0;
    std::uint32_t last_rtp_ = 0;
    std::int64_t last_ns_ = 0;
    std::int64_t jitter_ns_ = 0;
};

/// Our sender's half of an SR.
struct SenderInfo {
    std::uint64_t ntp = 0;  ///< 32.32, seconds since 1900
    std::uint32_t timestamp_rtp = 0;
    std::uint32_t packets = 0;
    std::uint32_t payload_bytes = 0;
};

/// Where we are in hearing the other side's SRs, for LSR/DLSR.
struct LastSr {
    std::uint32_t middle_ntp = 0;  ///< 0: none yet
    std::int64_t arrived_ns = 0;
};

/// Writes SR (or RR when `sender` is empty) + SDES CNAME, optionally + BYE, into `out`; returns
/// bytes, 0 when there is no room (a CNAME is cut at 255 bytes; 356 bytes are always enough).
/// `block` goes in when `remote_ssrc` is set.
std::size_t write_report(std::uint32_t ssrc,
                         const std::optional<SenderInfo>& sender,
                         std::optional<std::uint32_t> remote_ssrc,
                         const ReceptionStats::Block& block,
                         const LastSr& last_sr,
                         std::string_view cname,
                         bool bye,
                         std::int64_t now_ns,
                         std::span<std::uint8_t> out) noexcept;

/// What one compound RTCP datagram told us.
struct RtcpNews {
    std::optional<std::uint32_t> sender_ssrc;
    std::optional<std::uint32_t> sr_middle_ntp;
    bool bye = false;
    std::optional<SenderInfo> sender;  ///< of its SR
    struct About {                     ///< the report block about our SSRC
        std::uint8_t fraction_lost = 0;
        std::int32_t cumulative_lost = 0;
        std::uint32_t extended_highest = 0;
        std::uint32_t jitter_rtp = 0;
        std::uint32_t lsr = 0;
        std::uint32_t dlsr = 0;
    };
    std::optional<About> about_us;
};
/// Parses with every length checked (RFC 3550 A.2); empty when the compound is not valid.
[[nodiscard]] std::optional<RtcpNews> parse_rtcp(std::span<const std::uint8_t> datagram,
                                                 std::uint32_t our_ssrc) noexcept;

/// Round trip from LSR/DLSR (RFC 3550 §6.4.1) in ns; empty when it makes no sense. `now_ntp_middle`
/// = middle 32 bits of NTP now.
[[nodiscard]] std::optional<std::int64_t> round_trip_ns(const RtcpNews::About& about,
                                                        std::uint32_t now_ntp_middle) noexcept;
/// NTP 32.32 of a CLOCK_REALTIME ns.
[[nodiscard]] std::uint64_t ntp_of(std::int64_t realtime_ns) noexcept;

}  // namespace offhook::rtp
