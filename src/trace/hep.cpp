#include "trace/hep.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/monotonic.h"
#include "trace/sip_text.h"
#include "trace/wire_text.h"

namespace offhook::trace {
namespace {

// Chunk types of the vendor 0 (HEP3 network protocol specification, "generic chunk types").
enum Chunk : std::uint16_t {
    kIpFamily = 1,
    kIpProtocol = 2,
    kFromV4 = 3,
    kToV4 = 4,
    kFromV6 = 5,
    kToV6 = 6,
    kFromPort = 7,
    kToPort = 8,
    kSeconds = 9,
    kMicroseconds = 10,
    kProtocolType = 11,
    kCaptureId = 12,
    kKey = 14,
    kPayload = 15,
    kCorrelationId = 17,
};
constexpr std::size_t kHeadBytes = 6;
/// A UDP datagram takes no more, and a chunk's length has 16 bits.
constexpr std::size_t kMaxBytes = 65'000;

std::string big_endian(std::uint32_t value, int bytes) {
    std::string out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xff);
    return out;
}

void put(std::string& out, Chunk type, std::string_view value) {
    out += big_endian(0, 2);
    out += big_endian(type, 2);
    out += big_endian(static_cast<std::uint32_t>(value.size() + kHeadBytes), 2);
    out += value;
}

std::string_view address_bytes(const model::WireAddress& address) {
    return {reinterpret_cast<const char*>(address.ip.data()), address.is_v6 ? 16U : 4U};
}

/// Reads big-endian numbers; beyond the end everything is 0.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    [[nodiscard]] std::uint32_t at(std::size_t offset, int bytes) const {
        std::uint32_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            const std::size_t index = offset + static_cast<std::size_t>(i);
            value = value << 8 |
                    (index < bytes_.size() ? static_cast<unsigned char>(bytes_[index]) : 0U);
        }
        return value;
    }

private:
    std::string_view bytes_;
};

}  // namespace

std::string write_hep(const HepPacket& packet, std::uint32_t capture_id, std::string_view key) {
    std::string out = "HEP3";
    out += big_endian(0, 2);
    const bool is_v6 = packet.from.is_v6;
    put(out, kIpFamily, big_endian(is_v6 ? AF_INET6 : AF_INET, 1));
    put(out, kIpProtocol, big_endian(packet.is_tcp ? IPPROTO_TCP : IPPROTO_UDP, 1));
    put(out, is_v6 ? kFromV6 : kFromV4, address_bytes(packet.from));
    put(out, is_v6 ? kToV6 : kToV4, address_bytes(packet.to));
    put(out, kFromPort, big_endian(packet.from.port, 2));
    put(out, kToPort, big_endian(packet.to.port, 2));
    put(out,
        kSeconds,
        big_endian(static_cast<std::uint32_t>(packet.realtime_ns / base::kNsPerS), 4));
    put(out,
        kMicroseconds,
        big_endian(static_cast<std::uint32_t>(packet.realtime_ns % base::kNsPerS / base::kNsPerUs),
                   4));
    put(out, kProtocolType, big_endian(static_cast<std::uint32_t>(packet.type), 1));
    put(out, kCaptureId, big_endian(capture_id, 4));
    if (!key.empty()) put(out, kKey, key);
    if (!packet.correlation_id.empty()) put(out, kCorrelationId, packet.correlation_id);
    const std::size_t room = kMaxBytes - std::min(kMaxBytes, out.size() + kHeadBytes);
    put(out, kPayload, std::string_view(packet.payload).substr(0, room));
    const std::string length = big_endian(static_cast<std::uint32_t>(out.size()), 2);
    return out.replace(4, 2, length);
}

HepPacket hep_of(model::SipWireMessage message) {
    HepPacket packet{.type = HepType::Sip,
                     .realtime_ns = message.realtime_ns,
                     .is_tcp = message.transport != "udp",
                     .from = wire_address(message.local),
                     .to = wire_address(message.remote),
                     .correlation_id = call_id_of(message.text)};
    if (message.is_inbound) std::swap(packet.from, packet.to);
    packet.payload = std::move(message.text);
    return packet;
}

std::string rtcp_json(std::string_view packet) {
    constexpr std::uint32_t kSenderReport = 200;
    constexpr std::uint32_t kReceiverReport = 201;
    constexpr std::size_t kBlockBytes = 24;
    const Reader in(packet);
    const std::uint32_t type = in.at(1, 1);
    if (packet.size() < 8 || in.at(0, 1) >> 6 != 2) return {};
    if (type != kSenderReport && type != kReceiverReport) return {};
    const std::size_t end = std::min<std::size_t>(packet.size(), 4 * (in.at(2, 2) + 1U));
    base::JsonWriter json;
    json.begin_object().field("type", type).field("ssrc", in.at(4, 4));
    std::size_t at = 8;
    if (type == kSenderReport) {
        if (end < 28) return {};
        json.key("sender_information")
            .begin_object()
            .field("ntp_timestamp_sec", in.at(8, 4))
            .field("ntp_timestamp_usec", in.at(12, 4))
            .field("rtp_timestamp", in.at(16, 4))
            .field("packets", in.at(20, 4))
            .field("octets", in.at(24, 4))
            .end();
        at = 28;
    }
    const std::uint32_t wanted = in.at(0, 1) & 31U;
    const auto there = static_cast<std::uint32_t>((end - std::min(at, end)) / kBlockBytes);
    const std::uint32_t count = std::min(wanted, there);
    json.field("report_count", count).key("report_blocks").begin_array();
    for (std::uint32_t i = 0; i < count; ++i, at += kBlockBytes) {
        // A signed number of 24 bits.
        const auto lost = static_cast<std::int32_t>(in.at(at + 5, 3) << 8) / 256;
        json.begin_object()
            .field("source_ssrc", in.at(at, 4))
            .field("fraction_lost", in.at(at + 4, 1))
            .field("packets_lost", lost)
            .field("highest_seq_no", in.at(at + 8, 4))
            .field("ia_jitter", in.at(at + 12, 4))
            .field("lsr", in.at(at + 16, 4))
            .field("dlsr", in.at(at + 20, 4))
            .end();
    }
    return json.end().end().text();
}

}  // namespace offhook::trace
