#include "srtp/srtp_outbound.h"

#include "srtp/packet_header.h"

namespace offhook::srtp {

base::Result<SrtpOutbound> SrtpOutbound::create(model::SrtpSuite suite, const model::SrtpKey& key) {
    const auto make = [&](Kind kind) {
        return derive_session_keys(suite, key, kind).and_then([&](const SessionKeys& keys) {
            return Transform::create(suite, kind, keys, Way::Seal);
        });
    };
    auto rtp = make(Kind::Rtp);
    if (!rtp) return tl::unexpected(rtp.error());
    auto rtcp = make(Kind::Rtcp);
    if (!rtcp) return tl::unexpected(rtcp.error());
    return SrtpOutbound(std::move(*rtp), std::move(*rtcp));
}

std::size_t SrtpOutbound::protect_rtp(std::span<const std::uint8_t> packet,
                                      std::span<std::uint8_t> out) noexcept {
    const std::size_t header = rtp_header_bytes(packet);
    const std::size_t size = packet.size() + rtp_.overhead_bytes();
    if (header == 0 || out.size() < size) return 0;
    const std::uint16_t sequence = read_u16(packet, 2);
    // Half the circle back is a wrap, as the receiver will see it (RFC 3711 §3.3.1).
    if (has_begun_ && sequence < highest_ && highest_ - sequence > 0x8000) ++rollover_;
    has_begun_ = true;
    highest_ = sequence;
    const Transform::Packet cut{.ssrc = read_u32(packet, 8),
                                .index = static_cast<std::uint64_t>(rollover_) << 16 | sequence,
                                .header_bytes = header,
                                .body_bytes = packet.size() - header};
    return rtp_.seal(cut, packet.data(), out.data()) ? size : 0;
}

std::size_t SrtpOutbound::protect_rtcp(std::span<const std::uint8_t> packet,
                                       std::span<std::uint8_t> out) noexcept {
    const std::size_t size = packet.size() + rtcp_.overhead_bytes();
    if (packet.size() < kRtcpHeaderBytes || out.size() < size) return 0;
    const Transform::Packet cut{.ssrc = read_u32(packet, 4),
                                .index = rtcp_index_,
                                .header_bytes = kRtcpHeaderBytes,
                                .body_bytes = packet.size() - kRtcpHeaderBytes};
    rtcp_index_ = (rtcp_index_ + 1) & 0x7FFF'FFFFU;
    return rtcp_.seal(cut, packet.data(), out.data()) ? size : 0;
}

}  // namespace offhook::srtp
