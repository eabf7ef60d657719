#include "caller/stream_meter.h"

#include <algorithm>

namespace offhook::caller {
namespace {

constexpr std::int64_t kMaxSequenceJump = 3000;  // RFC 3550 A.1, MAX_DROPOUT
constexpr std::int64_t kWindow = 64;

}  // namespace

std::uint64_t StreamFigures::expected_packets() const noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(listened_ns, 0) / kPacketNs);
}

std::int64_t StreamFigures::surplus_packets() const noexcept {
    const std::int64_t difference =
        static_cast<std::int64_t>(received_packets) - static_cast<std::int64_t>(expected_packets());
    if (difference > 1) return difference - 1;
    if (difference < -1) return difference + 1;
    return 0;
}

double StreamFigures::rate_percent() const noexcept {
    const auto expected = static_cast<double>(expected_packets());
    if (expected <= 1) return received_packets > 0 ? 100.0 : 0.0;
    // No edge of a window excuses a stream that never was.
    if (received_packets == 0) return 0;
    return 100.0 * (expected + static_cast<double>(surplus_packets())) / expected;
}

StreamMeter::StreamMeter(model::Codec codec) noexcept
    : ticks_per_packet_(model::facts_of(codec).rtp_clock_hz / 1000 * model::kPtimeMs),
      payload_type_(model::facts_of(codec).default_payload_type) {}

std::int64_t StreamMeter::since_answer(std::int64_t at_ns) const noexcept {
    return answered_ns_ < 0 ? 0 : std::max<std::int64_t>(at_ns - answered_ns_, 0);
}

void StreamMeter::answered(std::int64_t at_ns,
                           const Endpoint& source,
                           std::uint8_t payload_type,
                           std::optional<std::uint8_t> event_type) noexcept {
    answered_ns_ = at_ns;
    expected_source_ = source;
    payload_type_ = payload_type;
    event_type_ = event_type;
    if (figures_.early_packets == 0) return;
    figures_.is_unexpected_source = source.is_set() && !(figures_.source == source);
    if (last_arrival_ns_ >= at_ns) {
        // Read from its socket before the 200 was read from the other one, but it arrived after it.
        --figures_.early_packets;
        figures_.received_packets = 1;
        figures_.first_rtp_ns = last_arrival_ns_ - at_ns;
        figures_.last_packet_at_ns = figures_.first_rtp_ns;
    } else if (at_ns - last_arrival_ns_ <= kPacketNs) {
        figures_.first_rtp_ns = 0;
    }
}

bool StreamMeter::accept_source(const Endpoint& from) noexcept {
    if (figures_.source.is_set() && figures_.source == from) return true;
    // The SDP's address takes the stream at any time; another one only when nobody has it yet
    // (NAT).
    const bool is_expected = expected_source_.is_set() && expected_source_ == from;
    if (figures_.source.is_set() && !is_expected) {
        ++figures_.foreign_packets;
        if (!figures_.first_foreign.is_set()) figures_.first_foreign = from;
        return false;
    }
    figures_.source = from;
    figures_.is_unexpected_source = expected_source_.is_set() && !is_expected;
    return true;
}

void StreamMeter::restart_sequence(std::uint16_t sequence) noexcept {
    base_ = highest_ = sequence;
    window_ = 1;
    unique_ = 1;
    has_audio_ = false;
}

void StreamMeter::close_sequence() noexcept {
    if (highest_ < 0) return;
    const std::int64_t lost = highest_ - base_ + 1 - static_cast<std::int64_t>(unique_);
    if (lost > 0) figures_.lost_packets += static_cast<std::uint64_t>(lost);
    highest_ = -1;
}

void StreamMeter::note_ssrc(std::uint32_t ssrc, std::int64_t arrival_ns, Judged& judged) noexcept {
    if (highest_ >= 0 && ssrc == ssrc_) return;
    judged.is_new_source = true;
    close_sequence();
    ssrc_ = ssrc;
    const auto known = known_ssrcs_.begin() + figures_.ssrcs;
    if (std::find(known_ssrcs_.begin(), known, ssrc) != known ||
        figures_.ssrcs == known_ssrcs_.size())
        return;
    known_ssrcs_[figures_.ssrcs++] = ssrc;
    if (figures_.ssrcs == 2) figures_.second_ssrc_at_ns = since_answer(arrival_ns);
}

void StreamMeter::judge_sequence(std::int64_t arrival_ns, Judged& judged) noexcept {
    const std::uint16_t sequence = judged.packet.sequence;
    if (highest_ < 0) {
        restart_sequence(sequence);
        return;
    }
    const auto step = static_cast<std::int16_t>(
        static_cast<std::uint16_t>(sequence - static_cast<std::uint16_t>(highest_)));
    if (step > kMaxSequenceJump || step < -kMaxSequenceJump) {
        ++figures_.sequence_breaks;
        close_sequence();
        restart_sequence(sequence);
        return;
    }
    if (step > 0) {
        window_ = step < kWindow ? (window_ << step) | 1 : 1;
        highest_ += step;
        ++unique_;
        judged.lost_before = static_cast<std::uint32_t>(step - 1);
        if (step > 1 && figures_.first_loss_at_ns < 0)
            figures_.first_loss_at_ns = since_answer(arrival_ns);
        return;
    }
    if (-step < kWindow) {
        const std::uint64_t bit = std::uint64_t{1} << -step;
        if ((window_ & bit) != 0) {
            judged.verdict = Verdict::Duplicate;
            ++figures_.duplicate_packets;
            return;
        }
        window_ |= bit;
    }
    judged.verdict = Verdict::Late;
    ++figures_.reordered_packets;
    ++unique_;
    base_ = std::min(base_, highest_ + step);
}

void StreamMeter::judge_timestamp(const rtp::PacketView& packet, std::int64_t arrival_ns) noexcept {
    if (has_audio_) {
        const std::uint32_t step = packet.timestamp_rtp - audio_timestamp_rtp_;
        if (step != static_cast<std::uint32_t>(highest_ - audio_sequence_) * ticks_per_packet_) {
            ++figures_.timestamp_breaks;
            if (figures_.first_timestamp_break_at_ns < 0) {
                figures_.first_timestamp_break_at_ns = since_answer(arrival_ns);
            }
        }
    }
    has_audio_ = true;
    audio_sequence_ = highest_;
    audio_timestamp_rtp_ = packet.timestamp_rtp;
}

void StreamMeter::judge_arrival(std::int64_t arrival_ns, std::uint32_t lost_before) {
    if (answered_ns_ < 0 || arrival_ns < answered_ns_) {
        ++figures_.early_packets;
        last_arrival_ns_ = arrival_ns;
        return;
    }
    ++figures_.received_packets;
    figures_.last_packet_at_ns = arrival_ns - answered_ns_;
    if (figures_.first_rtp_ns < 0) {
        figures_.first_rtp_ns = arrival_ns - answered_ns_;
    } else {
        const std::int64_t gap = arrival_ns - last_arrival_ns_;
        figures_.gaps.record(gap);
        if (gap > figures_.max_gap_ns) {
            figures_.max_gap_ns = gap;
            figures_.max_gap_at_ns = since_answer(last_arrival_ns_);
            figures_.max_gap_missing = lost_before;
        }
    }
    last_arrival_ns_ = arrival_ns;
}

StreamMeter::Judged StreamMeter::packet(std::span<const std::uint8_t> datagram,
                                        const Endpoint& from,
                                        std::int64_t arrival_ns) {
    Judged judged;
    if (is_finished_) {
        judged.verdict = Verdict::AfterEnd;
        return judged;
    }
    if (rtp::looks_like_rtcp(datagram)) {
        ++figures_.rtcp_packets;
        judged.verdict = Verdict::Rtcp;
        return judged;
    }
    const auto parsed = rtp::parse_packet(datagram);
    if (!parsed) {
        ++figures_.malformed_packets;
        return judged;
    }
    if (!accept_source(from)) {
        judged.verdict = Verdict::Foreign;
        return judged;
    }
    judged.packet = *parsed;
    judged.verdict = Verdict::Audio;
    note_ssrc(parsed->ssrc, arrival_ns, judged);
    judge_sequence(arrival_ns, judged);
    if (judged.verdict == Verdict::Duplicate) return judged;
    judge_arrival(arrival_ns, judged.lost_before);
    if (event_type_ && parsed->payload_type == *event_type_) {
        ++figures_.event_packets;
        if (judged.verdict == Verdict::Audio) judged.verdict = Verdict::Event;
    } else if (parsed->payload_type != payload_type_) {
        ++figures_.other_payload_packets;
        if (judged.verdict == Verdict::Audio) judged.verdict = Verdict::Other;
    } else if (judged.verdict == Verdict::Audio) {
        judge_timestamp(*parsed, arrival_ns);
    }
    return judged;
}

void StreamMeter::finish(std::int64_t at_ns) noexcept {
    if (is_finished_) return;
    is_finished_ = true;
    close_sequence();
    if (answered_ns_ < 0) return;
    figures_.listened_ns = since_answer(at_ns);
    const std::int64_t last_ns = std::max(last_arrival_ns_, answered_ns_);
    const std::int64_t tail = at_ns - last_ns;
    if (tail > kPacketNs && tail > figures_.max_gap_ns) {
        figures_.max_gap_ns = tail;
        figures_.max_gap_at_ns = since_answer(last_ns);
        figures_.max_gap_missing = 0;
        figures_.max_gap_is_tail = true;
    }
}

}  // namespace offhook::caller
