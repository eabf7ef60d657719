#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace offhook::srtp {

/// What SRTP leaves in the clear of an RTCP compound: the first header and its SSRC.
inline constexpr std::size_t kRtcpHeaderBytes = 8;

[[nodiscard]] constexpr std::uint16_t read_u16(std::span<const std::uint8_t> bytes,
                                               std::size_t at) noexcept {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
[[nodiscard]] constexpr std::uint32_t read_u32(std::span<const std::uint8_t> bytes,
                                               std::size_t at) noexcept {
    return static_cast<std::uint32_t>(read_u16(bytes, at)) << 16 | read_u16(bytes, at + 2);
}

/// Bytes of an RTP header with CSRCs and extension, which SRTP leaves in the clear; 0 when the
/// packet is not RTP or too short for what it says.
[[nodiscard]] constexpr std::size_t rtp_header_bytes(
    std::span<const std::uint8_t> packet) noexcept {
    constexpr std::size_t kFixed = 12;
    if (packet.size() < kFixed || packet[0] >> 6 != 2) return 0;
    std::size_t bytes = kFixed + 4u * (packet[0] & 0x0Fu);
    if (packet[0] & 0x10u) {
        if (packet.size() < bytes + 4) return 0;
        bytes += 4 + 4u * read_u16(packet, bytes + 2);
    }
    return bytes <= packet.size() ? bytes : 0;
}

}  // namespace offhook::srtp
