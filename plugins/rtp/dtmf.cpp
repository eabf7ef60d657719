#include "rtp/dtmf.h"

#include <algorithm>
#include <string_view>

#include "model/codec.h"
#include "rtp/detail/wire.h"

namespace offhook::rtp {
namespace {

constexpr std::string_view kDigits = "0123456789*#ABCD";  // by event number, RFC 4733 §3.2
constexpr std::uint8_t kEndBit = 0x80;
constexpr std::uint8_t kVolume = 10;  // -10 dBm0
constexpr std::uint32_t kLongestSegment = 0xFFFF;
constexpr int kEndPackets = 3;
/// How far back a straggler of an earlier press may lie; further is another source's clock.
constexpr std::int32_t kStragglerTicks = 80'000;

}  // namespace

DtmfReceiver::Reports DtmfReceiver::feed(const PacketView& packet) noexcept {
    Reports reports;
    if (packet.payload.size() < 4 || packet.payload[0] >= kDigits.size()) return reports;
    const auto report = [&reports](const Event& event) { reports.events[reports.count++] = event; };
    const char digit = kDigits[packet.payload[0]];
    const bool is_end = (packet.payload[1] & kEndBit) != 0;
    const std::uint32_t duration = detail::load16(packet.payload, 2);

    const auto since = static_cast<std::int32_t>(packet.timestamp_rtp - timestamp_rtp_);
    if (seen_any_ && since < 0 && since > -kStragglerTicks) return reports;
    // A press longer than the duration field is sent in segments (§2.5.1.3).
    if (is_down_ && digit == current_.digit && is_next_segment(since)) {
        timestamp_rtp_ = packet.timestamp_rtp;
        earlier_rtp_ += kLongestSegment;
    } else if (!seen_any_ || since != 0) {
        if (is_down_) {
            current_.is_end = true;
            report(current_);
        }
        seen_any_ = true;
        is_down_ = true;
        timestamp_rtp_ = packet.timestamp_rtp;
        earlier_rtp_ = 0;
        current_ = Event{digit, duration, false};
        report(current_);
    }
    if (!is_down_) return reports;  // the end was told; this repeats it
    current_.duration_rtp = std::max(current_.duration_rtp, earlier_rtp_ + duration);
    if (is_end) {
        is_down_ = false;
        current_.is_end = true;
        report(current_);
    }
    return reports;
}

bool DtmfReceiver::is_next_segment(std::int32_t since_rtp) const noexcept {
    const std::int64_t by_stream =
        std::int64_t{kLongestSegment} * clocks_.stream_hz / clocks_.event_hz;
    return since_rtp == static_cast<std::int32_t>(kLongestSegment) || since_rtp == by_stream;
}

bool DtmfSender::queue(std::span<const char> digits) noexcept {
    if (digits.size() > kMaxDigits - count_) return false;
    if (!std::all_of(digits.begin(), digits.end(), [](char digit) {
            return kDigits.find(digit) != std::string_view::npos;
        })) {
        return false;
    }
    for (const char digit : digits) digits_[(head_ + count_++) % kMaxDigits] = digit;
    return true;
}

std::uint32_t DtmfSender::duration_rtp(std::uint32_t stream_ticks) const noexcept {
    const std::uint64_t ticks = std::uint64_t{stream_ticks} * clocks_.event_hz / clocks_.stream_hz;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, kLongestSegment));
}

std::optional<DtmfSender::Frame> DtmfSender::take(std::uint32_t timestamp_rtp) noexcept {
    if (gap_left_ > 0) {
        --gap_left_;
        return std::nullopt;
    }
    if (count_ == 0) return std::nullopt;
    const std::uint32_t frame_rtp = clocks_.stream_hz / 1000 * model::kPtimeMs;
    Frame frame;
    if (!in_event_) {
        in_event_ = true;
        start_rtp_ = timestamp_rtp;
        ends_left_ = 0;
        frame.marker = true;
    }
    frame.timestamp_rtp = start_rtp_;
    std::uint32_t duration = duration_rtp(timestamp_rtp - start_rtp_ + frame_rtp);
    if (ends_left_ == 0 && duration >= clocks_.event_hz / 1000 * kDefaultDurationMs) {
        ends_left_ = kEndPackets;
        end_duration_rtp_ = duration;
    }
    const bool is_end = ends_left_ > 0;
    if (is_end) duration = end_duration_rtp_;
    frame.payload[0] = static_cast<std::uint8_t>(kDigits.find(digits_[head_]));
    frame.payload[1] = static_cast<std::uint8_t>((is_end ? kEndBit : 0) | kVolume);
    detail::store16(frame.payload, 2, static_cast<std::uint16_t>(duration));
    if (is_end && --ends_left_ == 0) {
        in_event_ = false;
        head_ = (head_ + 1) % kMaxDigits;
        --count_;
        gap_left_ = kGapFrames;
    }
    return frame;
}

}  // namespace offhook::rtp
