#include "rtpcallsrc/rtp_receiver.h"

#include <sys/socket.h>

#include <algorithm>

namespace offhook::rtpcallsrc {

using model::LegCounters;
using rtp::JitterRing;

namespace {

constexpr int kMaxDatagramsPerCall = 8;
constexpr std::size_t kDatagramBytes = 2048;

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
        handle(std::span<const std::uint8_t>(datagram.data(), static_cast<std::size_t>(n)),
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
      level_(session_->codec().sample_rate_hz) {}

void RtpReceiver::receive_rtp(std::int64_t now_ns) noexcept {
    drain(session_->sockets().rtp_fd(),
          [&](std::span<const std::uint8_t> datagram, const session::Endpoint& from) {
              handle(datagram, from, now_ns);
          });
}

void RtpReceiver::receive_rtcp(std::int64_t now_ns) noexcept {
    drain(session_->sockets().rtcp_fd(),
          [&](std::span<const std::uint8_t> datagram, const session::Endpoint& from) {
              session_->handle_rtcp(datagram, from, now_ns);
          });
}

void RtpReceiver::handle(std::span<const std::uint8_t> datagram,
                         const session::Endpoint& from,
                         std::int64_t now_ns) noexcept {
    LegCounters& c = *session_->counters();
    if (session_->settings().rtcp_mux && rtp::looks_like_rtcp(datagram)) {
        session_->handle_rtcp(datagram, from, now_ns);
        return;
    }
    const auto packet = rtp::parse_packet(datagram);
    const auto& settings = session_->settings();
    const bool is_ours = packet && (packet->payload_type == settings.payload_type ||
                                    packet->payload_type == settings.telephone_event_type);
    if (!is_ours) {
        LegCounters::add<std::uint64_t>(c.refused_packets, 1);
        return;
    }
    const auto verdict = session_->accept(*packet, from, now_ns);
    if (verdict == session::SourceLock::Verdict::Refused) return;
    if (verdict == session::SourceLock::Verdict::AcceptedNewSource) ring_.reset();
    const JitterRing::Arrival arrival = ring_.arrive(*packet, now_ns);
    if (arrival.reordered) LegCounters::add<std::uint64_t>(c.reordered_packets, 1);
    switch (arrival.verdict) {
        case JitterRing::Verdict::PlayNow:
            play(*packet);
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
    play_due(now_ns);
}

void RtpReceiver::play_due(std::int64_t now_ns) noexcept {
    while (const auto item = ring_.next(now_ns)) {
        if (item->kind == JitterRing::Item::Kind::Packet) {
            play(item->packet);
        } else {
            LegCounters::add<std::uint64_t>(session_->counters()->lost_packets, item->lost_packets);
            conceal(item->duration_rtp);
        }
    }
    LegCounters::set(session_->counters()->playout_delay_ns, ring_.target_ns());
}

void RtpReceiver::play(const rtp::PacketView& packet) noexcept {
    if (packet.payload_type == session_->settings().telephone_event_type) {
        dtmf_.set_clocks(session_->dtmf_clocks());
        const auto reports = dtmf_.feed(packet);
        for (std::size_t i = 0; i < reports.count; ++i) {
            if (reports.events[i].is_end)
                LegCounters::add<std::uint64_t>(session_->counters()->received_dtmf_events, 1);
            sink_.on_digit(reports.events[i]);
        }
        return;
    }
    if (output_ == Output::Rtp) {
        sink_.on_packet(packet);
        return;
    }
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    const std::size_t samples = decoder_->decode(packet.payload, pcm);
    if (samples == 0) {
        LegCounters::add<std::uint64_t>(session_->counters()->refused_packets, 1);
        return;
    }
    deliver(std::span(pcm).first(samples));
}

void RtpReceiver::conceal(std::uint32_t duration_rtp) noexcept {
    if (output_ == Output::Rtp)
        return;  // the stock decoder behind us sees the hole in the sequence
    const model::CodecFacts& facts = session_->codec();
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    std::size_t samples = std::min<std::size_t>(
        static_cast<std::size_t>(duration_rtp) * facts.sample_rate_hz / facts.rtp_clock_hz,
        pcm.size());
    LegCounters::add<std::uint64_t>(session_->counters()->concealed_samples, samples);
    while (samples > 0) {
        const auto piece =
            std::span(pcm).first(std::min(samples, model::frame_samples(facts.sample_rate_hz)));
        decoder_->conceal(piece);
        deliver(piece);
        samples -= piece.size();
    }
}

void RtpReceiver::deliver(std::span<const std::int16_t> pcm) noexcept {
    if (level_.feed(pcm))
        LegCounters::set(session_->counters()->received_level_cdb, level_.level_cdb());
    sink_.on_pcm(pcm);
}

}  // namespace offhook::rtpcallsrc
