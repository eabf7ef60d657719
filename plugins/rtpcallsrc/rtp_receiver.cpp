#include "rtpcallsrc/rtp_receiver.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/monotonic.h"
#include "session/inbound_loss.h"

namespace offhook::rtpcallsrc {

using model::LegCounters;
using rtp::JitterRing;

namespace {

constexpr int kMaxDatagramsPerCall = 8;
constexpr std::size_t kDatagramBytes = 2048;
/// RFC 3389 §3.1: the first byte is the level in -dBov; without one, a quiet line.
constexpr int kUntoldLevelDbov = -70;

// RingCentral repeats the end of an RFC 4733 event, duration 960, under the audio's payload type.
bool is_duplicate_digit(std::span<const std::uint8_t> payload) noexcept {
    return payload.size() == 4 && payload[0] < 16 && payload[1] == 0x8A && payload[2] == 0x03 &&
           payload[3] == 0xC0;
}

// Reads until the socket is empty, at most kMaxDatagramsPerCall: a flood on one call must not
// starve the others.
template <class Handle>
void drain(int fd, Handle handle) noexcept {
    std::array<std::uint8_t, kDatagramBytes> datagram;
    for (int i = 0; i < kMaxDatagramsPerCall; ++i) {
        sockaddr_storage address;
        socklen_t size = sizeof address;
        const ssize_t n = recvfrom(fd,
                                   datagram.data(),
                                   datagram.size(),
                                   MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&address),
                                   &size);
        if (n < 0) return;
        handle(std::span(datagram).first(static_cast<std::size_t>(n)),
               session::Endpoint::from(address, size));
    }
}

}  // namespace

RtpReceiver::RtpReceiver(std::shared_ptr<session::RtpSession> session,
                         Output output,
                         ReceiverSink& sink)
    : session_(std::move(session)),
      sink_(sink),
      output_(output),
      decoder_(output == Output::Pcm ? rtp::make_decoder(session_->settings().codec) : nullptr),
      ring_(session_->codec().rtp_clock_hz),
      pause_(session_->codec()),
      noise_(session_->ssrc()),
      level_(session_->codec().sample_rate_hz) {}

void RtpReceiver::receive_rtp(std::int64_t now_ns) noexcept {
    drain(session_->sockets().rtp_fd(),
          [&](std::span<std::uint8_t> datagram, const session::Endpoint& from) {
              note_arrival(datagram, now_ns);
              if (const auto plain = session_->unprotect(datagram)) handle(*plain, from, now_ns);
          });
}

void RtpReceiver::receive_rtcp(std::int64_t now_ns) noexcept {
    drain(session_->sockets().rtcp_fd(),
          [&](std::span<std::uint8_t> datagram, const session::Endpoint& from) {
              if (const auto plain = session_->unprotect(datagram))
                  session_->handle_rtcp(*plain, from, now_ns);
          });
}

void RtpReceiver::receive_web(std::int64_t now_ns) noexcept {
    std::array<std::uint8_t, session::WebPort::kMaxPacketBytes> packet;
    for (int i = 0; i < kMaxDatagramsPerCall; ++i) {
        const std::size_t n = session_->web_port()->take(packet);
        if (n == 0) return;
        note_arrival(std::span(packet).first(n), now_ns);
        handle(std::span(packet).first(n), session::Endpoint(), now_ns);
    }
}

void RtpReceiver::note_arrival(std::span<const std::uint8_t> datagram,
                               std::int64_t now_ns) noexcept {
    if (session_->settings().rtcp_mux && rtp::looks_like_rtcp(datagram)) return;
    LegCounters& c = *session_->counters();
    LegCounters::add<std::uint64_t>(c.arrived_packets, 1);
    LegCounters::set(c.last_arrived_ns, now_ns);
}

void RtpReceiver::handle(std::span<const std::uint8_t> datagram,
                         const session::Endpoint& from,
                         std::int64_t now_ns) noexcept {
    LegCounters& c = *session_->counters();
    if (session_->settings().rtcp_mux && rtp::looks_like_rtcp(datagram)) {
        session_->handle_rtcp(datagram, from, now_ns);
        return;
    }
    if (session::InboundLoss::drops()) return;
    const auto packet = rtp::parse_packet(datagram);
    const auto& settings = session_->settings();
    const bool is_ours = packet && (packet->payload_type == settings.payload_type ||
                                    packet->payload_type == settings.telephone_event_type ||
                                    packet->payload_type == settings.comfort_noise_type);
    if (!is_ours) {
        LegCounters::add<std::uint64_t>(c.refused_packets, 1);
        if (packet) {
            LegCounters::add<std::uint64_t>(c.refused_types, 1);
            LegCounters::set<std::int32_t>(c.last_refused_type, packet->payload_type);
        }
        return;
    }
    const auto verdict = session_->accept(*packet, from, now_ns);
    if (verdict == session::SourceLock::Verdict::Refused) return;
    if (verdict == session::SourceLock::Verdict::AcceptedNewSource) {
        ring_.reset();
        cancel_pause();
    }
    const JitterRing::Arrival arrival = ring_.arrive(*packet, now_ns);
    if (arrival.reordered) LegCounters::add<std::uint64_t>(c.reordered_packets, 1);
    switch (arrival.verdict) {
        case JitterRing::Verdict::PlayNow:
            play(*packet, 0, now_ns);
            break;
        case JitterRing::Verdict::Held:
            break;
        case JitterRing::Verdict::Late:
            LegCounters::add<std::uint64_t>(c.late_packets, 1);
            break;
        case JitterRing::Verdict::Duplicate:
            LegCounters::add<std::uint64_t>(c.duplicate_packets, 1);
            break;
    }
    play_due_packets(now_ns);
}

void RtpReceiver::play_due(std::int64_t now_ns) noexcept {
    play_due_packets(now_ns);
    background(pause_.take_due(now_ns));
}

void RtpReceiver::play_due_packets(std::int64_t now_ns) noexcept {
    while (const auto item = ring_.next(now_ns)) {
        if (item->kind == JitterRing::Item::Kind::Packet) {
            play(item->packet, item->waited_ns, now_ns);
        } else {
            LegCounters& c = *session_->counters();
            LegCounters::add<std::uint64_t>(c.lost_packets, item->lost_packets);
            LegCounters::add<std::uint64_t>(c.loss_runs, 1);
            conceal(item->duration_rtp);
        }
    }
    LegCounters::set(session_->counters()->playout_delay_ns, ring_.target_ns());
}

void RtpReceiver::play(const rtp::PacketView& packet,
                       std::int64_t waited_ns,
                       std::int64_t now_ns) noexcept {
    const auto& settings = session_->settings();
    if (packet.payload_type == settings.telephone_event_type) return play_digit(packet);
    if (packet.payload_type == settings.comfort_noise_type) return play_noise(packet, now_ns);
    if (settings.quirks.drop_duplicate_digits && is_duplicate_digit(packet.payload)) {
        LegCounters::add<std::uint64_t>(session_->counters()->duplicate_packets, 1);
        return;
    }
    if (output_ == Output::Rtp) {
        sink_.on_packet(packet);
        return;
    }
    end_pause(packet.timestamp_rtp);
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    const std::size_t samples = decoder_->decode(packet.payload, pcm);
    LegCounters& c = *session_->counters();
    if (samples == 0) {
        LegCounters::add<std::uint64_t>(c.refused_packets, 1);
        LegCounters::add<std::uint64_t>(c.undecodable_packets, 1);
        return;
    }
    LegCounters::add<std::uint64_t>(c.decoded_packets, 1);
    LegCounters::set(c.last_decoded_ns, now_ns);
    LegCounters::add<std::uint64_t>(c.decoded_samples, samples);
    if (waited_ns > 0)
        LegCounters::add(c.jitter_delay_s,
                         static_cast<double>(waited_ns) * static_cast<double>(samples) / 1e9);
    deliver(std::span(pcm).first(samples));
    if (!decoder_->begins_pause(packet.payload)) return;
    const model::CodecFacts& facts = session_->codec();
    const auto ms = static_cast<std::uint32_t>(samples) / (facts.sample_rate_hz / 1000);
    begin_pause(packet.timestamp_rtp + ms * (facts.rtp_clock_hz / 1000),
                now_ns + ms * base::kNsPerMs,
                false);
}

void RtpReceiver::play_digit(const rtp::PacketView& packet) noexcept {
    dtmf_.set_clocks(session_->dtmf_clocks());
    const auto reports = dtmf_.feed(packet);
    for (std::size_t i = 0; i < reports.count; ++i) {
        if (reports.events[i].is_end)
            LegCounters::add<std::uint64_t>(session_->counters()->received_dtmf_events, 1);
        sink_.on_digit(reports.events[i]);
    }
}

// A stock decoder behind us would take it for sound.
void RtpReceiver::play_noise(const rtp::PacketView& packet, std::int64_t now_ns) noexcept {
    if (output_ == Output::Rtp) return;
    noise_.set_level(packet.payload.empty() ? kUntoldLevelDbov : -(packet.payload[0] & 0x7F));
    // A later one only tells a new level.
    if (!pause_.is_active()) begin_pause(packet.timestamp_rtp, now_ns, true);
}

void RtpReceiver::begin_pause(std::uint32_t timestamp_rtp,
                              std::int64_t from_ns,
                              bool is_told) noexcept {
    pause_.begin(timestamp_rtp, from_ns);
    is_noise_told_ = is_told;
    LegCounters::set(session_->counters()->is_paused, true);
}

void RtpReceiver::end_pause(std::uint32_t timestamp_rtp) noexcept {
    if (!pause_.is_active()) return;
    background(pause_.end(timestamp_rtp));
    LegCounters::set(session_->counters()->is_paused, false);
}

void RtpReceiver::cancel_pause() noexcept {
    pause_.cancel();
    LegCounters::set(session_->counters()->is_paused, false);
}

void RtpReceiver::background(std::size_t samples) noexcept {
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    const std::size_t frame = model::frame_samples(session_->codec().sample_rate_hz);
    LegCounters::add<std::uint64_t>(session_->counters()->comfort_noise_samples, samples);
    while (samples > 0) {
        const auto piece = std::span(pcm).first(std::min(samples, frame));
        if (is_noise_told_) {
            noise_.fill(piece);
        } else {
            decoder_->background(piece);
        }
        deliver(piece);
        samples -= piece.size();
    }
}

void RtpReceiver::conceal(std::uint32_t duration_rtp) noexcept {
    if (output_ == Output::Rtp)
        return;                      // the stock decoder behind us sees the hole in the sequence
    if (pause_.is_active()) return;  // the pause goes on over it, and its end knows how long it was
    const model::CodecFacts& facts = session_->codec();
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    std::size_t samples = std::min<std::size_t>(
        static_cast<std::size_t>(duration_rtp) * facts.sample_rate_hz / facts.rtp_clock_hz,
        pcm.size());
    LegCounters::add<std::uint64_t>(session_->counters()->concealed_samples, samples);
    if (samples > 0) LegCounters::add<std::uint64_t>(session_->counters()->concealment_events, 1);
    while (samples > 0) {
        const auto piece =
            std::span(pcm).first(std::min(samples, model::frame_samples(facts.sample_rate_hz)));
        decoder_->conceal(piece);
        deliver(piece);
        samples -= piece.size();
    }
}

void RtpReceiver::deliver(std::span<const std::int16_t> pcm) noexcept {
    LegCounters& c = *session_->counters();
    if (level_.feed(pcm, &c.received_sound))
        LegCounters::set(c.received_level_cdb, level_.level_cdb());
    sink_.on_pcm(pcm);
}

}  // namespace offhook::rtpcallsrc
