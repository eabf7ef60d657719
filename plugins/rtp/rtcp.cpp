#include "rtp/rtcp.h"

#include <algorithm>

#include "base/monotonic.h"
#include "rtp/detail/wire.h"

namespace offhook::rtp {
namespace {

using base::kNsPerS;

constexpr std::uint8_t kSenderReport = 200;
constexpr std::uint8_t kReceiverReport = 201;
constexpr std::uint8_t kSourceDescription = 202;
constexpr std::uint8_t kBye = 203;
constexpr std::uint8_t kCname = 1;
constexpr std::size_t kSenderInfoBytes = 20;
constexpr std::size_t kBlockBytes = 24;
constexpr std::uint64_t kNtpEpochS = 2'208'988'800;  // 1900 to 1970

// RFC 3550 A.1
constexpr std::uint16_t kMaxDropout = 3000;
constexpr std::uint16_t kMaxMisorder = 100;

std::int32_t load_signed24(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    const std::uint32_t raw = std::uint32_t{bytes[at]} << 16 | detail::load16(bytes, at + 1);
    return static_cast<std::int32_t>(raw << 8) >> 8;
}

RtcpNews::About read_block(std::span<const std::uint8_t> block) noexcept {
    return {.fraction_lost = block[4],
            .cumulative_lost = load_signed24(block, 5),
            .extended_highest = detail::load32(block, 8),
            .jitter_rtp = detail::load32(block, 12),
            .lsr = detail::load32(block, 16),
            .dlsr = detail::load32(block, 20)};
}

/// One packet of a compound, its length already checked against the datagram.
bool read_packet(std::span<const std::uint8_t> packet,
                 std::uint32_t our_ssrc,
                 RtcpNews& news) noexcept {
    const std::size_t count = packet[0] & 0x1F;
    const std::uint8_t type = packet[1];
    if (type == kBye) {
        if (packet.size() < 4 + 4 * count) return false;
        news.bye = news.bye || count > 0;
        return true;
    }
    if (type != kSenderReport && type != kReceiverReport) return true;
    const std::size_t blocks_at = type == kSenderReport ? 8 + kSenderInfoBytes : 8;
    if (packet.size() < blocks_at + count * kBlockBytes) return false;
    news.sender_ssrc = detail::load32(packet, 4);
    if (type == kSenderReport) {
        news.sr_middle_ntp = detail::load32(packet, 10);
        const std::uint64_t ntp =
            std::uint64_t{detail::load32(packet, 8)} << 32 | detail::load32(packet, 12);
        news.sender = {.ntp = ntp,
                       .timestamp_rtp = detail::load32(packet, 16),
                       .packets = detail::load32(packet, 20),
                       .payload_bytes = detail::load32(packet, 24)};
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto block = packet.subspan(blocks_at + i * kBlockBytes, kBlockBytes);
        if (detail::load32(block, 0) == our_ssrc) news.about_us = read_block(block);
    }
    return true;
}

/// Fills a datagram from the front; the caller has checked the room.
class Writer {
public:
    explicit Writer(std::span<std::uint8_t> out) noexcept : out_(out) {}
    void head(std::size_t count, std::uint8_t type, std::size_t bytes) noexcept {
        out_[at_] = static_cast<std::uint8_t>(0x80U | count);
        out_[at_ + 1] = type;
        detail::store16(out_, at_ + 2, static_cast<std::uint16_t>(bytes / 4 - 1));
        at_ += 4;
    }
    void word(std::uint32_t value) noexcept {
        detail::store32(out_, at_, value);
        at_ += 4;
    }
    void byte(std::uint8_t value) noexcept { out_[at_++] = value; }
    void pad_to(std::size_t end) noexcept {
        while (at_ < end) byte(0);
    }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }

private:
    std::span<std::uint8_t> out_;
    std::size_t at_ = 0;
};

}  // namespace

void ReceptionStats::reset() noexcept {
    *this = ReceptionStats(clock_hz_);
}

void ReceptionStats::start_at(std::uint16_t sequence) noexcept {
    base_ = highest_ = sequence;
    cycles_ = 0;
    maybe_jumped_ = false;
    received_ = received_prior_ = expected_prior_ = 0;
}

void ReceptionStats::received(std::uint16_t sequence,
                              std::uint32_t timestamp_rtp,
                              std::int64_t now_ns) noexcept {
    if (received_ == 0) {
        start_at(sequence);
    } else {
        const auto ahead = static_cast<std::uint16_t>(sequence - highest_);
        if (ahead < kMaxDropout) {
            if (sequence < highest_) cycles_ += 1U << 16;
            highest_ = sequence;
        } else if (ahead <= 65535 - kMaxMisorder) {
            // One stray packet must not move the count; two in a row are a sender that started
            // over.
            if (!maybe_jumped_ || sequence != next_of_jump_) {
                maybe_jumped_ = true;
                next_of_jump_ = static_cast<std::uint16_t>(sequence + 1);
                return;
            }
            start_at(sequence);
            has_timing_ = false;
        }
    }
    ++received_;

    // A.8, in ns. Packets of one timestamp (RFC 4733) say nothing about the network, nor does a
    // jump of the sender's clock; a second of jitter would be one.
    if (has_timing_ && timestamp_rtp == last_rtp_) return;
    if (has_timing_) {
        const std::int64_t ticks = static_cast<std::int32_t>(timestamp_rtp - last_rtp_);
        std::int64_t difference = now_ns - last_ns_ - ticks * kNsPerS / std::int64_t{clock_hz_};
        if (difference < 0) difference = -difference;
        if (difference < kNsPerS) jitter_ns_ += (difference - jitter_ns_) / 16;
    }
    has_timing_ = true;
    last_rtp_ = timestamp_rtp;
    last_ns_ = now_ns;
}

ReceptionStats::Block ReceptionStats::take_block() noexcept {
    Block block;
    if (received_ == 0) return block;
    block.extended_highest = cycles_ + highest_;
    const std::uint32_t expected = block.extended_highest - base_ + 1;
    const std::int64_t lost = std::int64_t{expected} - received_;
    block.cumulative_lost =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(lost, -0x800000, 0x7FFFFF));
    const std::uint32_t expected_now = expected - expected_prior_;
    const std::int64_t lost_now = std::int64_t{expected_now} - (received_ - received_prior_);
    expected_prior_ = expected;
    received_prior_ = received_;
    if (expected_now != 0 && lost_now > 0) {
        block.fraction_lost =
            static_cast<std::uint8_t>(std::min<std::int64_t>(255, lost_now * 256 / expected_now));
    }
    block.jitter_rtp = static_cast<std::uint32_t>(jitter_ns_ * std::int64_t{clock_hz_} / kNsPerS);
    return block;
}

std::size_t write_report(std::uint32_t ssrc,
                         const std::optional<SenderInfo>& sender,
                         std::optional<std::uint32_t> remote_ssrc,
                         const ReceptionStats::Block& block,
                         const LastSr& last_sr,
                         std::string_view cname,
                         bool bye,
                         std::int64_t now_ns,
                         std::span<std::uint8_t> out) noexcept {
    cname = cname.substr(0, 255);
    const std::size_t report_bytes =
        8 + (sender ? kSenderInfoBytes : 0) + (remote_ssrc ? kBlockBytes : 0);
    // Chunk: SSRC, the item, and one to four zero bytes up to the next word (§6.5).
    const std::size_t sdes_bytes = 4 + (4 + 2 + cname.size() + 4) / 4 * 4;
    const std::size_t bye_bytes = bye ? 8 : 0;
    if (out.size() < report_bytes + sdes_bytes + bye_bytes) return 0;

    Writer writer(out);
    writer.head(remote_ssrc ? 1 : 0, sender ? kSenderReport : kReceiverReport, report_bytes);
    writer.word(ssrc);
    if (sender) {
        writer.word(static_cast<std::uint32_t>(sender->ntp >> 32));
        writer.word(static_cast<std::uint32_t>(sender->ntp));
        writer.word(sender->timestamp_rtp);
        writer.word(sender->packets);
        writer.word(sender->payload_bytes);
    }
    if (remote_ssrc) {
        const bool heard_sr = last_sr.middle_ntp != 0;
        // A delay of hours wraps, as the field does.
        const std::int64_t since_ns =
            heard_sr ? std::max<std::int64_t>(0, now_ns - last_sr.arrived_ns) : 0;
        const std::int64_t dlsr = since_ns / kNsPerS * 65536 + since_ns % kNsPerS * 65536 / kNsPerS;
        writer.word(*remote_ssrc);
        writer.word(std::uint32_t{block.fraction_lost} << 24 |
                    (static_cast<std::uint32_t>(block.cumulative_lost) & 0xFFFFFFU));
        writer.word(block.extended_highest);
        writer.word(block.jitter_rtp);
        writer.word(last_sr.middle_ntp);
        writer.word(static_cast<std::uint32_t>(dlsr));
    }
    writer.head(1, kSourceDescription, sdes_bytes);
    writer.word(ssrc);
    writer.byte(kCname);
    writer.byte(static_cast<std::uint8_t>(cname.size()));
    for (const char c : cname) writer.byte(static_cast<std::uint8_t>(c));
    writer.pad_to(report_bytes + sdes_bytes);
    if (bye) {
        writer.head(1, kBye, bye_bytes);
        writer.word(ssrc);
    }
    return writer.at();
}

std::optional<RtcpNews> parse_rtcp(std::span<const std::uint8_t> datagram,
                                   std::uint32_t our_ssrc) noexcept {
    // A.2: a compound begins with an unpadded report, and the lengths add up.
    if (datagram.size() < 8 || (datagram[0] & 0x20) != 0) return std::nullopt;
    if (datagram[1] != kSenderReport && datagram[1] != kReceiverReport) return std::nullopt;
    RtcpNews news;
    for (std::span<const std::uint8_t> rest = datagram; !rest.empty();) {
        if (rest.size() < 4 || rest[0] >> 6 != 2) return std::nullopt;
        const std::size_t bytes = (std::size_t{detail::load16(rest, 2)} + 1) * 4;
        if (bytes > rest.size()) return std::nullopt;
        std::span<const std::uint8_t> packet = rest.first(bytes);
        if ((packet[0] & 0x20) != 0) {
            const std::size_t padding = packet.back();
            if (bytes != rest.size() || padding == 0 || padding % 4 != 0 || padding > bytes - 4)
                return std::nullopt;
            packet = packet.first(bytes - padding);
        }
        if (!read_packet(packet, our_ssrc, news)) return std::nullopt;
        rest = rest.subspan(bytes);
    }
    return news;
}

std::optional<std::int64_t> round_trip_ns(const RtcpNews::About& about,
                                          std::uint32_t now_ntp_middle) noexcept {
    if (about.lsr == 0) return std::nullopt;
    constexpr std::int64_t kUnit = 65536;
    const auto trip = static_cast<std::int32_t>(now_ntp_middle - about.lsr - about.dlsr);
    // Both ends round: a hair below zero is zero. A minute is a broken clock.
    if (trip < -kUnit / 100 || trip > 60 * kUnit) return std::nullopt;
    return std::max<std::int64_t>(0, trip) * kNsPerS / kUnit;
}

std::uint64_t ntp_of(std::int64_t realtime_ns) noexcept {
    const auto ns = static_cast<std::uint64_t>(realtime_ns);
    const std::uint64_t per_s = kNsPerS;
    return (ns / per_s + kNtpEpochS) << 32 | (ns % per_s << 32) / per_s;
}

}  // namespace offhook::rtp
