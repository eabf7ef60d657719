#include "srtp/srtp_inbound.h"

#include <algorithm>

#include "srtp/packet_header.h"

namespace offhook::srtp {
namespace {

constexpr std::uint64_t kRollover = 0x1'0000;

/// RFC 3711 §3.3.1; nothing lies before number 0.
std::uint64_t guess_index(std::uint64_t highest, std::uint16_t sequence) noexcept {
    const std::uint64_t base = highest & ~(kRollover - 1);
    const auto last = static_cast<std::uint16_t>(highest);
    if (last < 0x8000) {
        const bool is_before_wrap = sequence - last > 0x8000;
        return (is_before_wrap && base != 0 ? base - kRollover : base) | sequence;
    }
    const bool is_after_wrap = last - 0x8000 > sequence;
    return (is_after_wrap ? base + kRollover : base) | sequence;
}

}  // namespace

base::Result<SrtpInbound> SrtpInbound::create(model::SrtpSuite suite, const model::SrtpKey& key) {
    const auto make = [&](Kind kind) {
        return derive_session_keys(suite, key, kind).and_then([&](const SessionKeys& keys) {
            return Transform::create(suite, kind, keys, Way::Open);
        });
    };
    auto rtp = make(Kind::Rtp);
    if (!rtp) return tl::unexpected(rtp.error());
    auto rtcp = make(Kind::Rtcp);
    if (!rtcp) return tl::unexpected(rtcp.error());
    return SrtpInbound(std::move(*rtp), std::move(*rtcp));
}

SrtpInbound::Stream* SrtpInbound::find(std::uint32_t ssrc) noexcept {
    for (Stream& stream : streams_) {
        if (stream.last_use != 0 && stream.ssrc == ssrc) return &stream;
    }
    return nullptr;
}

SrtpInbound::Stream& SrtpInbound::keep(std::uint32_t ssrc) noexcept {
    Stream* stream = find(ssrc);
    if (!stream) {
        stream = &*std::min_element(
            streams_.begin(), streams_.end(), [](const Stream& a, const Stream& b) {
                return a.last_use < b.last_use;
            });
        *stream = Stream{};
        stream->ssrc = ssrc;
    }
    stream->last_use = ++uses_;
    return *stream;
}

SrtpInbound::Opened SrtpInbound::open_rtp(std::span<std::uint8_t> packet) noexcept {
    const std::size_t header = rtp_header_bytes(packet);
    const std::size_t overhead = rtp_.overhead_bytes();
    if (header == 0 || packet.size() < header + overhead) return {Verdict::Malformed, 0};
    Transform::Packet cut{.ssrc = read_u32(packet, 8),
                          .index = read_u16(packet, 2),
                          .header_bytes = header,
                          .body_bytes = packet.size() - header - overhead};
    const auto sequence = static_cast<std::uint16_t>(cut.index);
    const Stream* stream = find(cut.ssrc);
    if (stream && stream->rtp.any()) {
        cut.index = guess_index(stream->rtp.highest(), sequence);
        if (!stream->rtp.is_fresh(cut.index)) return {Verdict::Replayed, 0};
        if (!rtp_.open(cut, packet.data())) return {Verdict::AuthFailed, 0};
    } else if (!rtp_.open(cut, packet.data())) {
        cut.index |= kRollover;
        if (sequence >= 0x8000 || !rtp_.open(cut, packet.data())) return {Verdict::AuthFailed, 0};
    }
    keep(cut.ssrc).rtp.note(cut.index);
    return {Verdict::Ok, header + cut.body_bytes};
}

SrtpInbound::Opened SrtpInbound::open_rtcp(std::span<std::uint8_t> packet) noexcept {
    const std::size_t overhead = rtcp_.overhead_bytes();
    if (packet.size() < kRtcpHeaderBytes + overhead || packet[0] >> 6 != 2)
        return {Verdict::Malformed, 0};
    const std::uint32_t word = read_u32(packet, rtcp_.word_offset(packet.size()));
    // Unencrypted reports were never agreed on (RFC 4568 §6.3.2).
    if ((word & 0x8000'0000U) == 0) return {Verdict::AuthFailed, 0};
    const Transform::Packet cut{.ssrc = read_u32(packet, 4),
                                .index = word & 0x7FFF'FFFFU,
                                .header_bytes = kRtcpHeaderBytes,
                                .body_bytes = packet.size() - kRtcpHeaderBytes - overhead};
    const Stream* stream = find(cut.ssrc);
    if (stream && !stream->rtcp.is_fresh(cut.index)) return {Verdict::Replayed, 0};
    if (!rtcp_.open(cut, packet.data())) return {Verdict::AuthFailed, 0};
    keep(cut.ssrc).rtcp.note(cut.index);
    return {Verdict::Ok, kRtcpHeaderBytes + cut.body_bytes};
}

}  // namespace offhook::srtp
