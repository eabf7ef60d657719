#include "model/leg_trace.h"

#include <cstring>

namespace offhook::model {

std::uint8_t PacketTrace::index_of(const WireAddress& remote) noexcept {
    const std::uint8_t count = remote_count_.load(std::memory_order_relaxed);
    // The newest first: it is nearly always that one.
    for (std::uint8_t i = count; i > 0; --i) {
        if (remotes_[i - 1U] == remote) return static_cast<std::uint8_t>(i - 1);
    }
    if (count == kMaxRemotes) return kMaxRemotes - 1;
    remotes_[count] = remote;
    remote_count_.store(static_cast<std::uint8_t>(count + 1), std::memory_order_release);
    return count;
}

void PacketTrace::write(HeaderRing& ring,
                        const RtpHeaderRecord& packet,
                        std::uint8_t remote) noexcept {
    ring.write({static_cast<std::uint64_t>(packet.at_ns),
                static_cast<std::uint64_t>(packet.ssrc) << 32 | packet.timestamp_rtp,
                static_cast<std::uint64_t>(packet.sequence) |
                    static_cast<std::uint64_t>(packet.payload_bytes) << 16 |
                    static_cast<std::uint64_t>(packet.payload_type) << 32 |
                    static_cast<std::uint64_t>(packet.marker) << 40 |
                    static_cast<std::uint64_t>(remote) << 48});
}

void PacketTrace::received(const RtpHeaderRecord& packet, const WireAddress& from) noexcept {
    write(inbound_, packet, index_of(from));
}

void PacketTrace::sent(const RtpHeaderRecord& packet, const WireAddress& to) noexcept {
    write(outbound_, packet, index_of(to));
}

void PacketTrace::rtcp(bool is_inbound,
                       std::span<const std::uint8_t> packet,
                       const WireAddress& remote,
                       std::int64_t at_ns) noexcept {
    TraceRing<kRtcpWords>::Record record{};
    const std::size_t kept = std::min(packet.size(), kMaxRtcpBytes);
    record[0] = static_cast<std::uint64_t>(at_ns);
    record[1] = static_cast<std::uint64_t>(std::min<std::size_t>(packet.size(), 0xffff)) |
                static_cast<std::uint64_t>(is_inbound) << 16 |
                static_cast<std::uint64_t>(index_of(remote)) << 24;
    std::memcpy(&record[2], packet.data(), kept);
    rtcp_.write(record);
}

std::vector<RtpHeaderRecord> PacketTrace::headers_of(const HeaderRing& ring) {
    std::vector<HeaderRing::Record> raw;
    ring.read(0, raw);
    std::vector<RtpHeaderRecord> all;
    all.reserve(raw.size());
    for (const HeaderRing::Record& r : raw) {
        all.push_back({.at_ns = static_cast<std::int64_t>(r[0]),
                       .ssrc = static_cast<std::uint32_t>(r[1] >> 32),
                       .timestamp_rtp = static_cast<std::uint32_t>(r[1]),
                       .sequence = static_cast<std::uint16_t>(r[2]),
                       .payload_type = static_cast<std::uint8_t>(r[2] >> 32),
                       .marker = (r[2] >> 40 & 1U) != 0,
                       .payload_bytes = static_cast<std::uint16_t>(r[2] >> 16),
                       .remote = static_cast<std::uint8_t>(r[2] >> 48)});
    }
    return all;
}

std::uint64_t PacketTrace::rtcp_since(std::uint64_t next, std::vector<RtcpRecord>& out) const {
    std::vector<TraceRing<kRtcpWords>::Record> raw;
    next = rtcp_.read(next, raw);
    for (const auto& r : raw) {
        RtcpRecord& packet = out.emplace_back();
        packet.at_ns = static_cast<std::int64_t>(r[0]);
        packet.wire_bytes = static_cast<std::uint16_t>(r[1]);
        packet.is_inbound = (r[1] >> 16 & 1U) != 0;
        packet.remote = static_cast<std::uint8_t>(r[1] >> 24);
        packet.packet.resize(std::min<std::size_t>(packet.wire_bytes, kMaxRtcpBytes));
        std::memcpy(packet.packet.data(), &r[2], packet.packet.size());
    }
    return next;
}

std::vector<WireAddress> PacketTrace::remotes() const {
    const std::uint8_t count = remote_count_.load(std::memory_order_acquire);
    return {remotes_.begin(), remotes_.begin() + count};
}

std::vector<AiFrameRecord> AiFrameTrace::frames() const {
    std::vector<TraceRing<2>::Record> raw;
    ring_.read(0, raw);
    std::vector<AiFrameRecord> all;
    all.reserve(raw.size());
    for (const auto& r : raw) {
        all.push_back({.at_ns = static_cast<std::int64_t>(r[0]),
                       .is_to_bot = (r[1] >> 32 & 1U) != 0,
                       .kind = static_cast<AiFrameRecord::Kind>(r[1] >> 40 & 1U),
                       .bytes = static_cast<std::uint32_t>(r[1])});
    }
    return all;
}

std::vector<AiTurnRecord> AiFrameTrace::turns() const {
    std::vector<TraceRing<2>::Record> raw;
    turns_.read(0, raw);
    std::vector<AiTurnRecord> all;
    for (const auto& r : raw)
        all.push_back({static_cast<std::int64_t>(r[0]), std::bit_cast<double>(r[1])});
    return all;
}

std::vector<DigitRecord> AiFrameTrace::digits() const {
    std::vector<TraceRing<2>::Record> raw;
    digits_.read(0, raw);
    std::vector<DigitRecord> all;
    for (const auto& r : raw) {
        all.push_back({static_cast<std::int64_t>(r[0]),
                       static_cast<char>(r[1] & 0xff),
                       static_cast<std::uint32_t>(r[1] >> 8)});
    }
    return all;
}

void CallerTape::write(std::span<const std::uint8_t, kChunkSamples> mu_law,
                       std::int64_t at_ns) noexcept {
    decltype(ring_)::Record record;
    record[0] = static_cast<std::uint64_t>(at_ns);
    std::memcpy(&record[1], mu_law.data(), mu_law.size());
    ring_.write(record);
}

std::vector<CallerTape::Chunk> CallerTape::chunks() const {
    std::vector<decltype(ring_)::Record> raw;
    ring_.read(0, raw);
    std::vector<Chunk> all(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        all[i].at_ns = static_cast<std::int64_t>(raw[i][0]);
        std::memcpy(all[i].mu_law.data(), &raw[i][1], kChunkSamples);
    }
    return all;
}

}  // namespace offhook::model
