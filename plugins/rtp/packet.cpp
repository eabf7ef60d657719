#include "rtp/packet.h"

#include "rtp/detail/wire.h"

namespace offhook::rtp {
namespace {

constexpr std::uint8_t kVersion = 2;

bool is_rtcp_type(std::uint8_t payload_type) noexcept {
    return payload_type >= 64 && payload_type <= 95;
}

}  // namespace

std::optional<PacketView> parse_packet(std::span<const std::uint8_t> datagram) noexcept {
    if (datagram.size() < kHeaderBytes || datagram[0] >> 6 != kVersion) return std::nullopt;
    PacketView packet;
    packet.marker = (datagram[1] & 0x80) != 0;
    packet.payload_type = datagram[1] & 0x7F;
    if (is_rtcp_type(packet.payload_type)) return std::nullopt;
    packet.sequence = detail::load16(datagram, 2);
    packet.timestamp_rtp = detail::load32(datagram, 4);
    packet.ssrc = detail::load32(datagram, 8);

    std::size_t begin = kHeaderBytes + std::size_t{4} * (datagram[0] & 0x0F);
    std::size_t end = datagram.size();
    if ((datagram[0] & 0x10) != 0) {
        if (begin + 4 > end) return std::nullopt;
        begin += 4 + std::size_t{4} * detail::load16(datagram, begin + 2);
    }
    if (begin > end) return std::nullopt;
    if ((datagram[0] & 0x20) != 0) {
        // The last byte counts itself, so zero lies as much as too many.
        const std::size_t padding = datagram[end - 1];
        if (padding == 0 || padding > end - begin) return std::nullopt;
        end -= padding;
    }
    packet.payload = datagram.subspan(begin, end - begin);
    packet.overhead_bytes = datagram.size() - packet.payload.size();
    return packet;
}

bool looks_like_rtcp(std::span<const std::uint8_t> datagram) noexcept {
    return datagram.size() >= 8 && datagram[0] >> 6 == kVersion && datagram[1] >= 192 &&
           datagram[1] <= 223;
}

void write_header(const Header& header, std::span<std::uint8_t, kHeaderBytes> out) noexcept {
    out[0] = kVersion << 6;
    out[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7F));
    detail::store16(out, 2, header.sequence);
    detail::store32(out, 4, header.timestamp_rtp);
    detail::store32(out, 8, header.ssrc);
}

}  // namespace offhook::rtp
