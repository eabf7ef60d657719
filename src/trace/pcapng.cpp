#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "trace/dump.h"
#include "trace/wire_text.h"

namespace offhook::trace {
namespace {

using Bytes = std::vector<std::uint8_t>;
using model::WireAddress;

// draft-ietf-opsawg-pcapng §4
constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint16_t kLinkTypeRaw = 101;  // IPv4 or IPv6, by the first nibble
constexpr std::uint16_t kOptionEnd = 0, kOptionComment = 1;
constexpr std::uint16_t kIfName = 2, kIfResolution = 9, kShbApplication = 4, kEpbFlags = 2;
constexpr std::size_t kMaxIpBytes = 0xffff;
constexpr std::size_t kUdpBytes = 8, kRtpBytes = 12;

/// Little-endian, whatever the machine: one file for all.
class BlockWriter {
public:
    void u16(std::uint16_t value) {
        out_ += static_cast<char>(value & 0xff);
        out_ += static_cast<char>(value >> 8);
    }
    void u32(std::uint32_t value) {
        u16(static_cast<std::uint16_t>(value));
        u16(static_cast<std::uint16_t>(value >> 16));
    }
    void bytes(const void* data, std::size_t size) {
        out_.append(static_cast<const char*>(data), size);
        out_.append((4 - size % 4) % 4, '\0');
    }
    void option(std::uint16_t code, std::string_view value) {
        u16(code);
        u16(static_cast<std::uint16_t>(value.size()));
        bytes(value.data(), value.size());
    }
    void end_options() { u32(kOptionEnd); }
    /// A block of all that was written since the last one.
    void block(std::string& file, std::uint32_t type) {
        BlockWriter head;
        const auto length = static_cast<std::uint32_t>(out_.size() + 12);
        head.u32(type);
        head.u32(length);
        file += head.out_;
        file += out_;
        head.out_.clear();
        head.u32(length);
        file += head.out_;
        out_.clear();
    }

private:
    std::string out_;
};

void put16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Bytes& out, std::uint32_t value) {
    put16(out, value >> 16);
    put16(out, value & 0xffff);
}

/// RFC 1071.
std::uint16_t checksum(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// Stands for an address that is not known (RFC 5737, RFC 3849).
WireAddress made_up(bool is_v6, bool is_local, std::uint16_t port) {
    WireAddress address{.is_v6 = is_v6, .port = port};
    const auto last = static_cast<std::uint8_t>(is_local ? 1 : 2);
    if (is_v6) {
        address.ip = {0x20, 0x01, 0x0d, 0xb8};
        address.ip[15] = last;
    } else {
        address.ip = {192, 0, 2, last};
    }
    return address;
}

bool is_nowhere(const WireAddress& address) {
    return std::all_of(
        address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// One datagram, of which `present` is there and `missing` more bytes were.
struct Datagram {
    std::int64_t realtime_ns = 0;
    bool is_inbound = false;
    WireAddress local{}, remote{};
    Bytes present{};
    std::size_t missing = 0;
    std::string comment{};
};

Bytes framed(const Datagram& datagram) {
    WireAddress local = datagram.local;
    WireAddress remote = datagram.remote;
    if (is_nowhere(remote)) remote = made_up(local.is_v6, false, remote.port);
    if (is_nowhere(local) || local.is_v6 != remote.is_v6)
        local = made_up(remote.is_v6, true, local.port);
    const WireAddress& from = datagram.is_inbound ? remote : local;
    const WireAddress& to = datagram.is_inbound ? local : remote;
    const std::size_t address_bytes = from.is_v6 ? 16 : 4;
    const std::size_t udp = kUdpBytes + datagram.present.size() + datagram.missing;

    Bytes out;
    if (from.is_v6) {
        put32(out, 0x60000000);
        put16(out, udp);
        put16(out, IPPROTO_UDP << 8 | 64);
    } else {
        put16(out, 0x4500);
        put16(out, 20 + udp);
        put32(out, 0x00004000);  // no fragments
        put16(out, 64 << 8 | IPPROTO_UDP);
        put16(out, 0);
    }
    out.insert(out.end(), from.ip.begin(), from.ip.begin() + static_cast<long>(address_bytes));
    out.insert(out.end(), to.ip.begin(), to.ip.begin() + static_cast<long>(address_bytes));
    if (!from.is_v6) {
        const std::uint16_t sum = checksum(std::span(out).first(20));
        out[10] = static_cast<std::uint8_t>(sum >> 8);
        out[11] = static_cast<std::uint8_t>(sum);
    }
    const std::size_t at = out.size();
    put16(out, from.port);
    put16(out, to.port);
    put16(out, udp);
    put16(out, 0);
    out.insert(out.end(), datagram.present.begin(), datagram.present.end());
    if (datagram.missing > 0) {
        // Nobody can know it; on IPv6 none at all would be wrong (RFC 8200 §8.1).
        if (from.is_v6) out[at + 7] = 1;
        return out;
    }
    const std::span addresses = std::span(out).subspan(at - 2 * address_bytes, 2 * address_bytes);
    const std::uint32_t pseudo = 0xffffU & ~static_cast<std::uint32_t>(checksum(addresses));
    std::uint16_t sum = checksum(std::span(out).subspan(at),
                                 pseudo + IPPROTO_UDP + static_cast<std::uint32_t>(udp));
    if (sum == 0) sum = 0xffff;  // RFC 768
    out[at + 6] = static_cast<std::uint8_t>(sum >> 8);
    out[at + 7] = static_cast<std::uint8_t>(sum);
    return out;
}

void write_packet(std::string& file, const Datagram& datagram) {
    const Bytes packet = framed(datagram);
    BlockWriter block;
    const auto time = static_cast<std::uint64_t>(datagram.realtime_ns);
    block.u32(0);
    block.u32(static_cast<std::uint32_t>(time >> 32));
    block.u32(static_cast<std::uint32_t>(time));
    block.u32(static_cast<std::uint32_t>(packet.size()));
    block.u32(static_cast<std::uint32_t>(packet.size() + datagram.missing));
    block.bytes(packet.data(), packet.size());
    if (!datagram.comment.empty()) block.option(kOptionComment, datagram.comment);
    const std::array<char, 4> flags{static_cast<char>(datagram.is_inbound ? 1 : 2), 0, 0, 0};
    block.option(kEpbFlags, std::string_view(flags.data(), flags.size()));
    block.end_options();
    block.block(file, kEnhancedPacket);
}

Datagram datagram_of(const model::SipWireMessage& message) {
    Datagram datagram{.realtime_ns = message.realtime_ns, .is_inbound = message.is_inbound};
    datagram.local = wire_address(message.local);
    datagram.remote = wire_address(message.remote);
    const std::size_t size = std::min(message.text.size(), kMaxIpBytes - 20 - kUdpBytes);
    datagram.present.assign(message.text.begin(),
                            message.text.begin() + static_cast<std::ptrdiff_t>(size));
    if (message.transport != "udp")
        datagram.comment = "SIP over " + message.transport + ", shown as UDP";
    return datagram;
}

Bytes header_of(const model::RtpHeaderRecord& packet) {
    Bytes out;
    out.push_back(0x80);
    out.push_back(static_cast<std::uint8_t>(packet.payload_type | (packet.marker ? 0x80 : 0)));
    put16(out, packet.sequence);
    put32(out, packet.timestamp_rtp);
    put32(out, packet.ssrc);
    return out;
}

void add_leg(std::vector<Datagram>& all, const Dump& dump) {
    if (!dump.leg || !dump.leg->packets) return;
    const model::PacketTrace& packets = *dump.leg->packets;
    const std::vector<WireAddress> remotes = packets.remotes();
    const auto remote = [&](std::uint8_t index) {
        return index < remotes.size() ? remotes[index] : WireAddress{};
    };
    std::vector<bool> speaks_rtp(remotes.size());
    const auto add = [&](bool is_inbound, const std::vector<model::RtpHeaderRecord>& headers) {
        for (const model::RtpHeaderRecord& packet : headers) {
            if (packet.remote < speaks_rtp.size()) speaks_rtp[packet.remote] = true;
            all.push_back({.realtime_ns = packet.at_ns + dump.realtime_offset_ns,
                           .is_inbound = is_inbound,
                           .local = dump.leg->local,
                           .remote = remote(packet.remote),
                           .present = header_of(packet),
                           .missing = packet.payload_bytes});
        }
    };
    add(true, packets.inbound());
    add(false, packets.outbound());
    std::vector<model::RtcpRecord> rtcp;
    packets.rtcp_since(0, rtcp);
    for (const model::RtcpRecord& packet : rtcp) {
        WireAddress local = dump.leg->local;
        // RTCP has a port of its own but where it shares RTP's (RFC 5761).
        const bool is_shared = packet.remote < speaks_rtp.size() && speaks_rtp[packet.remote];
        if (!is_shared) ++local.port;
        all.push_back({.realtime_ns = packet.at_ns + dump.realtime_offset_ns,
                       .is_inbound = packet.is_inbound,
                       .local = local,
                       .remote = remote(packet.remote),
                       .present = packet.packet,
                       .missing = packet.wire_bytes - packet.packet.size()});
    }
}

}  // namespace

std::string write_pcapng(const Dump& dump) {
    std::vector<Datagram> all;
    for (const model::SipWireMessage& message : dump.sip) all.push_back(datagram_of(message));
    add_leg(all, dump);
    std::stable_sort(all.begin(), all.end(), [](const Datagram& a, const Datagram& b) {
        return a.realtime_ns < b.realtime_ns;
    });

    std::string file;
    BlockWriter block;
    block.u32(kByteOrder);
    block.u16(1);
    block.u16(0);
    block.u32(0xffffffff);  // of a length that is not said
    block.u32(0xffffffff);
    block.option(kOptionComment,
                 "call " + dump.call_id +
                     "; secrets are removed, RTP payloads are left out, SIP of every transport is "
                     "shown as UDP");
    block.option(kShbApplication, "offhook/" OFFHOOK_VERSION);
    block.end_options();
    block.block(file, kSectionHeader);
    block.u16(kLinkTypeRaw);
    block.u16(0);
    block.u32(0);  // no limit of the captured length
    block.option(kIfName, "offhook");
    block.option(kIfResolution, "\x09");  // 10^-9 s
    block.end_options();
    block.block(file, kInterface);
    for (const Datagram& datagram : all) write_packet(file, datagram);
    return file;
}

}  // namespace offhook::trace
