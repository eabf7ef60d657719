#include "rtpcallsink/rtp_sender.h"

#include <algorithm>
#include <random>

#include "base/monotonic.h"

namespace offhook::rtpcallsink {

using model::FrameSource;
using model::LegCounters;

RtpSender::RtpSender(std::shared_ptr<session::RtpSession> session,
                     std::shared_ptr<model::AudioPort> port)
    : session_(std::move(session)),
      port_(std::move(port)),
      encoder_(rtp::make_encoder(session_->settings().codec, session_->settings().codec_settings)),
      dtmf_(session_->dtmf_clocks()),
      level_(session_->codec().sample_rate_hz),
      frame_samples_(model::frame_samples(session_->codec().sample_rate_hz)),
      frame_rtp_(session_->codec().rtp_clock_hz / 1000 * model::kPtimeMs) {
    std::random_device random;
    // The lower half: a receiver that misses the first packets under SRTP must not have missed a
    // wrap (RFC 3711 §3.3.1).
    sequence_ = static_cast<std::uint16_t>(random() & 0x7FFF);
    timestamp_base_ = random();
}

void RtpSender::send_pcm(std::span<const std::int16_t> pcm, std::uint64_t offset_samples) noexcept {
    LegCounters& c = *session_->counters();
    if (level_.feed(pcm, &c.sent_sound)) LegCounters::set(c.sent_level_cdb, level_.level_cdb());
    if (partial_samples_ == 0 && pcm.size() == frame_samples_) {
        send_frame(pcm, offset_samples);
        return;
    }
    // An element between the keeper and us re-cut the frames: put them together again.
    while (!pcm.empty()) {
        if (partial_samples_ == 0) partial_offset_ = offset_samples;
        const std::size_t n = std::min(pcm.size(), frame_samples_ - partial_samples_);
        std::copy_n(
            pcm.begin(), n, partial_.begin() + static_cast<std::ptrdiff_t>(partial_samples_));
        partial_samples_ += n;
        offset_samples += n;
        pcm = pcm.subspan(n);
        if (partial_samples_ == frame_samples_) {
            partial_samples_ = 0;
            send_frame(std::span(partial_).first(frame_samples_), partial_offset_);
        }
    }
}

void RtpSender::send_frame(std::span<const std::int16_t> pcm,
                           std::uint64_t offset_samples) noexcept {
    const model::CodecFacts& facts = session_->codec();
    const auto timestamp_rtp =
        timestamp_base_ +
        static_cast<std::uint32_t>(offset_samples * facts.rtp_clock_hz / facts.sample_rate_hz);
    const std::int64_t now_ns = base::monotonic_ns();
    // The encoder sees every frame, sent or not, so that its state never jumps.
    const std::size_t bytes = encoder_->encode(pcm, std::span(packet_).subspan(rtp::kHeaderBytes));
    const bool has_left = send_payload(bytes, timestamp_rtp, now_ns);
    if (!port_) return;
    // In a channel the ledger is of what the mixer took.
    if (!port_->seat) port_->ledger.settle(offset_samples, pcm.size(), has_left, now_ns);
    if (has_left) port_->sent_levels.write(now_ns, callstats::level_of(pcm));
}

void RtpSender::send_rtp(const rtp::PacketView& packet,
                         std::uint64_t offset_samples,
                         std::size_t samples) noexcept {
    if (packet.payload.size() > packet_.size() - rtp::kHeaderBytes) return;
    if (!stream_based_) {
        stream_based_ = true;
        stream_offset_ = timestamp_base_ - packet.timestamp_rtp;
    }
    std::copy(packet.payload.begin(), packet.payload.end(), packet_.begin() + rtp::kHeaderBytes);
    const std::int64_t now_ns = base::monotonic_ns();
    const std::uint32_t timestamp_rtp = packet.timestamp_rtp + stream_offset_;
    const bool has_left = send_payload(packet.payload.size(), timestamp_rtp, now_ns);
    if (!port_) return;
    port_->ledger.want_levels();
    if (samples == 0) {
        const model::CodecFacts& facts = session_->codec();
        offset_samples = std::uint64_t{timestamp_rtp - timestamp_base_} * facts.sample_rate_hz /
                         facts.rtp_clock_hz;
        samples = frame_samples_;
    }
    const std::int16_t level_cdb = port_->ledger.level_at(offset_samples);
    if (!port_->seat) port_->ledger.settle(offset_samples, samples, has_left, now_ns);
    if (has_left && level_cdb != model::VoiceLedger::kNoLevel)
        port_->sent_levels.write(now_ns, level_cdb);
}

bool RtpSender::send_payload(std::size_t payload_bytes,
                             std::uint32_t timestamp_rtp,
                             std::int64_t now_ns) noexcept {
    LegCounters& c = *session_->counters();
    bool has_left = false;
    LegCounters::add<std::uint64_t>(c.encoded_frames, 1);
    LegCounters::set(c.last_encoded_ns, now_ns);
    session_->send_due_latch();
    if (!session_->is_sending()) {
        session_->run_clock(timestamp_rtp, now_ns);
        LegCounters::add<std::uint64_t>(c.held_frames, 1);
    } else {
        if (!send_event_instead(timestamp_rtp, now_ns)) {
            // RFC 3551 §4.1: the marker begins a talkspurt, which for a stream without pauses is
            // its start and each jump.
            const bool marker = !started_ || timestamp_rtp != expected_rtp_;
            has_left = emit({session_->settings().payload_type,
                             marker,
                             sequence_,
                             timestamp_rtp,
                             session_->ssrc()},
                            payload_bytes,
                            now_ns);
            const FrameSource source = LegCounters::get(c.frame_source);
            LegCounters::add<std::uint64_t>(
                source == FrameSource::Ai ? c.sent_ai_frames : c.sent_fill_frames, 1);
            LegCounters::set(c.last_source, source);
        }
        expected_rtp_ = timestamp_rtp + frame_rtp_;
    }
    session_->send_due_report(now_ns);
    return has_left;
}

bool RtpSender::send_event_instead(std::uint32_t timestamp_rtp, std::int64_t now_ns) noexcept {
    const auto& event_type = session_->settings().telephone_event_type;
    if (!event_type || dtmf_.is_idle()) return false;
    dtmf_.set_clocks(session_->dtmf_clocks());
    const auto frame = dtmf_.take(timestamp_rtp);
    if (!frame) return false;
    std::copy(frame->payload.begin(), frame->payload.end(), packet_.begin() + rtp::kHeaderBytes);
    emit({*event_type, frame->marker, sequence_, frame->timestamp_rtp, session_->ssrc()},
         frame->payload.size(),
         now_ns);
    LegCounters& c = *session_->counters();
    LegCounters::add<std::uint64_t>(c.sent_dtmf_packets, 1);
    LegCounters::set(c.last_source, FrameSource::Dtmf);
    return true;
}

bool RtpSender::emit(const rtp::Header& header,
                     std::size_t payload_bytes,
                     std::int64_t now_ns) noexcept {
    rtp::write_header(
        header, std::span<std::uint8_t, rtp::kHeaderBytes>(packet_.data(), rtp::kHeaderBytes));
    const bool has_left =
        session_->send_rtp(std::span(packet_).first(rtp::kHeaderBytes + payload_bytes),
                           payload_bytes,
                           header.timestamp_rtp,
                           now_ns);
    if (!started_) LegCounters::set<std::int64_t>(session_->counters()->first_sequence, sequence_);
    ++sequence_;
    started_ = true;
    return has_left;
}

bool RtpSender::send_digits(std::span<const char> digits) noexcept {
    return session_->settings().telephone_event_type.has_value() && dtmf_.queue(digits);
}

void RtpSender::send_bye() noexcept {
    session_->send_bye(base::monotonic_ns());
}

}  // namespace offhook::rtpcallsink
