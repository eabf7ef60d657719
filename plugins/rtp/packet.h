#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace offhook::rtp {

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kMaxPacketBytes = kHeaderBytes + 1500;

/// A received RTP packet, seen in place (RFC 3550 §5.1). `payload` excludes CSRCs, extension and
/// padding.
struct PacketView {
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp_rtp = 0;
    std::uint32_t ssrc = 0;
    std::span<const std::uint8_t> payload;
    std::size_t overhead_bytes = 0;  ///< what of the datagram is not payload
};

/// Parses with every length checked (version, CSRC count, extension, padding); empty when it lies
/// or is RTCP (payload types 64-95 in the second byte, RFC 5761 §4).
[[nodiscard]] std::optional<PacketView> parse_packet(
    std::span<const std::uint8_t> datagram) noexcept;

/// Whether a datagram on a muxed port is RTCP (RFC 5761 §4).
[[nodiscard]] bool looks_like_rtcp(std::span<const std::uint8_t> datagram) noexcept;

struct Header {
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp_rtp = 0;
    std::uint32_t ssrc = 0;
};
/// Writes the fixed 12-byte header (no CSRC, no extension).
void write_header(const Header& header, std::span<std::uint8_t, kHeaderBytes> out) noexcept;

}  // namespace offhook::rtp
