#include "session/rtp_session.h"

#include <algorithm>
#include <array>
#include <random>

#include "base/monotonic.h"
#include "rtp/packet.h"

namespace offhook::session {
namespace {

using model::LegCounters;

constexpr std::int64_t kReportIntervalNs = 5 * base::kNsPerS;
constexpr std::size_t kMaxReportBytes = 256;

std::uint32_t random_u32() {
    std::random_device device;
    return device();
}

}  // namespace

RtpSession::RtpSession(SocketPair sockets, Settings settings)
    : sockets_(std::move(sockets)),
      settings_(std::move(settings)),
      counters_(std::make_shared<LegCounters>()),
      ssrc_(settings_.ssrc ? *settings_.ssrc : random_u32()),
      random_(random_u32() | 1U),
      reception_(codec().rtp_clock_hz) {
    LegCounters::set(counters_->local_ssrc, ssrc_);
}

RtpSession::RtpSession(std::shared_ptr<WebPort> port, Settings settings)
    : RtpSession(SocketPair(), std::move(settings)) {
    web_ = std::move(port);
    settings_.rtcp_mux = true;
}

void RtpSession::set_remote(const Endpoint& rtp, const Endpoint& rtcp) noexcept {
    if (!(remote_rtp_ == rtp)) is_latch_due_ = settings_.quirks.latch_datagram;
    if (remote_rtp_ == rtp) {
        lock_.loosen();
    } else if (remote_rtp_.is_set()) {
        lock_.unlock();
    }
    if (!(remote_rtp_ == rtp) || !(remote_rtcp_ == rtcp)) rtcp_source_.reset();
    remote_rtp_ = rtp;
    remote_rtcp_ = rtcp;
    lock_.expect(rtp);
}

void RtpSession::renegotiate(const model::ChosenAudio& chosen) noexcept {
    settings_.payload_type = chosen.payload_type;
    settings_.telephone_event_type = chosen.telephone_event_type;
    settings_.telephone_event_clock_hz = chosen.telephone_event_clock_hz;
    settings_.comfort_noise_type = chosen.comfort_noise_type;
    if (web_ || settings_.rtcp_mux == chosen.rtcp_mux) return;
    settings_.rtcp_mux = chosen.rtcp_mux;
    // It showed where RTCP came from under the old arrangement.
    rtcp_source_.reset();
}

void RtpSession::set_srtp(SrtpPair pair) noexcept {
    if (pair.inbound != srtp_.inbound)
        old_inbound_ = pair.inbound ? std::move(srtp_.inbound) : nullptr;
    srtp_ = std::move(pair);
}

std::optional<std::span<const std::uint8_t>> RtpSession::unprotect(
    std::span<std::uint8_t> datagram) noexcept {
    using Verdict = srtp::SrtpInbound::Verdict;
    if (!srtp_.inbound) return datagram;
    const bool is_rtcp = rtp::looks_like_rtcp(datagram);
    const auto open = [&](srtp::SrtpInbound& inbound) {
        return is_rtcp ? inbound.open_rtcp(datagram) : inbound.open_rtp(datagram);
    };
    auto opened = open(*srtp_.inbound);
    if (opened.verdict == Verdict::Ok) {
        old_inbound_.reset();
    } else if (opened.verdict == Verdict::AuthFailed && old_inbound_) {
        opened = open(*old_inbound_);
    }
    LegCounters& c = *counters_;
    switch (opened.verdict) {
        case Verdict::Ok:
            return datagram.first(opened.bytes);
        case Verdict::AuthFailed:
            LegCounters::add<std::uint64_t>(c.srtp_auth_failures, 1);
            break;
        case Verdict::Replayed:
            LegCounters::add<std::uint64_t>(c.srtp_replays, 1);
            break;
        case Verdict::Malformed:
            LegCounters::add<std::uint64_t>(c.refused_packets, 1);
            break;
    }
    return std::nullopt;
}

void RtpSession::set_sending(bool sending) noexcept {
    // A pause we were asked for is not a gap.
    if (!sending) LegCounters::set<std::int64_t>(counters_->last_sent_ns, 0);
    sending_ = sending;
}

const Endpoint& RtpSession::destination() const noexcept {
    return lock_.is_locked() ? lock_.source() : remote_rtp_;
}

SourceLock::Verdict RtpSession::accept(const rtp::PacketView& packet,
                                       const Endpoint& from,
                                       std::int64_t now_ns) noexcept {
    const SourceLock::Verdict verdict =
        web_ ? lock_.follow(packet, now_ns) : lock_.judge(packet, from, now_ns);
    if (verdict == SourceLock::Verdict::Refused) {
        const bool is_source = web_ || (lock_.is_locked() && from == lock_.source());
        LegCounters::add<std::uint64_t>(counters_->refused_packets, 1);
        LegCounters::add<std::uint64_t>(
            is_source ? counters_->refused_ssrcs : counters_->refused_sources, 1);
        return verdict;
    }
    if (verdict == SourceLock::Verdict::AcceptedNewSource) {
        reception_.reset();
        if (!web_) note_source(counters_->remote_source, from);
        if (rtcp_source_ && !rtcp_source_->same_address(from)) rtcp_source_.reset();
    }
    reception_.received(packet.sequence, packet.timestamp_rtp, now_ns);
    LegCounters& c = *counters_;
    if (LegCounters::get(c.first_received_ns) == 0) LegCounters::set(c.first_received_ns, now_ns);
    LegCounters::set(c.last_received_ns, now_ns);
    LegCounters::add<std::uint64_t>(c.received_packets, 1);
    LegCounters::add<std::uint64_t>(c.received_bytes, packet.payload.size());
    LegCounters::add<std::uint64_t>(c.received_header_bytes, packet.overhead_bytes);
    LegCounters::set(c.remote_ssrc, packet.ssrc);
    LegCounters::set(c.jitter_ns, reception_.jitter_ns());
    return verdict;
}

void RtpSession::handle_rtcp(std::span<const std::uint8_t> datagram,
                             const Endpoint& from,
                             std::int64_t now_ns) noexcept {
    // RTCP may come from another port than announced (NAT), never from another host.
    const Endpoint& peer = lock_.is_locked() ? lock_.source() : remote_rtp_;
    const bool is_peer = web_ || (peer.is_set() && from.same_address(peer));
    const auto news = is_peer ? rtp::parse_rtcp(datagram, ssrc_) : std::nullopt;
    if (!news) {
        LegCounters::add<std::uint64_t>(counters_->refused_packets, 1);
        return;
    }
    rtcp_source_ = from;
    LegCounters& c = *counters_;
    LegCounters::add<std::uint64_t>(c.rtcp_received, 1);
    LegCounters::add<std::uint64_t>(c.rtcp_received_bytes, datagram.size());
    LegCounters::set(c.last_rtcp_received_ns, now_ns);
    if (news->sender) {
        LegCounters::add<std::uint64_t>(c.sender_reports, 1);
        LegCounters::set(c.remote_sr_ntp, news->sender->ntp);
        LegCounters::set(c.remote_sent_packets, news->sender->packets);
        LegCounters::set(c.remote_sent_bytes, news->sender->payload_bytes);
    }
    if (news->sr_middle_ntp) last_sr_ = {*news->sr_middle_ntp, now_ns};
    if (!news->about_us) return;
    const auto& about = *news->about_us;
    LegCounters::add<std::uint64_t>(c.remote_reports, 1);
    LegCounters::set<std::int64_t>(c.remote_lost_packets, about.cumulative_lost);
    LegCounters::set<std::uint32_t>(c.remote_fraction_lost, about.fraction_lost);
    if (about.extended_highest != LegCounters::get(c.acknowledged_sequence)) {
        LegCounters::set<std::int64_t>(c.acknowledged_sequence, about.extended_highest);
        LegCounters::set(c.last_acknowledged_ns, now_ns);
    }
    LegCounters::set<std::int64_t>(
        c.remote_jitter_ns,
        static_cast<std::int64_t>(about.jitter_rtp) * base::kNsPerS / codec().rtp_clock_hz);
    const auto ntp_now = static_cast<std::uint32_t>(rtp::ntp_of(base::realtime_ns()) >> 16);
    if (const auto round_trip = rtp::round_trip_ns(about, ntp_now)) {
        LegCounters::set(c.round_trip_ns, *round_trip);
        LegCounters::add(c.total_round_trip_ns, *round_trip);
        LegCounters::add<std::uint64_t>(c.round_trips, 1);
    }
}

void RtpSession::send_due_latch() noexcept {
    if (!is_latch_due_) return;
    is_latch_due_ = false;
    // Neither STUN, DTLS, RTP nor RTCP by its first byte (RFC 7983 §7).
    constexpr std::array<std::uint8_t, 4> kNothing{'\r', '\n', '\r', '\n'};
    (void)!sendto(sockets_.rtp_fd(),
                  kNothing.data(),
                  kNothing.size(),
                  MSG_NOSIGNAL,
                  remote_rtp_.data(),
                  remote_rtp_.size());
}

bool RtpSession::send_rtp(std::span<const std::uint8_t> packet,
                          std::size_t payload_bytes,
                          std::uint32_t timestamp_rtp,
                          std::int64_t now_ns) noexcept {
    LegCounters& c = *counters_;
    // What does not leave is this packet only; the next one is due in 20 ms.
    if (web_ ? !web_->out()->send(packet) : !send_datagram(packet)) {
        LegCounters::add<std::uint64_t>(c.send_errors, 1);
        run_clock(timestamp_rtp, now_ns);
        return false;  // nothing left: no counter may say so
    }
    run_clock(timestamp_rtp, now_ns);
    const std::int64_t last_ns = LegCounters::get(c.last_sent_ns);
    if (last_ns != 0) {
        const std::int64_t gap_ns = now_ns - last_ns;
        c.note_gap(gap_ns);
        if (gap_ns > settings_.gap_limit_ns) {
            LegCounters::add<std::uint64_t>(c.long_gaps, 1);
            LegCounters::set(c.last_long_gap_ns, gap_ns);
        }
    }
    if (LegCounters::get(c.first_sent_ns) == 0) LegCounters::set(c.first_sent_ns, now_ns);
    LegCounters::set(c.last_sent_ns, now_ns);
    LegCounters::add<std::uint64_t>(c.sent_packets, 1);
    LegCounters::add<std::uint64_t>(c.sent_bytes, payload_bytes);
    return true;
}

bool RtpSession::send_datagram(std::span<const std::uint8_t> packet) noexcept {
    const Endpoint& to = destination();
    std::array<std::uint8_t, rtp::kMaxPacketBytes + srtp::kMaxOverheadBytes> sealed;
    if (srtp_.outbound)
        packet = std::span(sealed).first(srtp_.outbound->protect_rtp(packet, sealed));
    // Refused with a full socket buffer or after an ICMP error.
    return !packet.empty() && to.is_set() &&
           sendto(sockets_.rtp_fd(),
                  packet.data(),
                  packet.size(),
                  MSG_NOSIGNAL,
                  to.data(),
                  to.size()) >= 0;
}

void RtpSession::run_clock(std::uint32_t timestamp_rtp, std::int64_t now_ns) noexcept {
    clock_rtp_ = timestamp_rtp;
    clock_ns_ = now_ns;
}

void RtpSession::send_due_report(std::int64_t now_ns) noexcept {
    if (now_ns < next_report_ns_ || web_) return;
    const bool first = next_report_ns_ == 0;
    // xorshift32: the interval is 0.5 to 1.5 of 5 s (RFC 3550 §6.3.1), so that calls do not report
    // in step.
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    next_report_ns_ = now_ns + kReportIntervalNs / 2 +
                      static_cast<std::int64_t>(random_ % 1000) * (kReportIntervalNs / 1000);
    if (!first) send_report(false, now_ns);
}

void RtpSession::send_bye(std::int64_t now_ns) noexcept {
    if (!web_ && LegCounters::get(counters_->sent_packets) > 0) send_report(true, now_ns);
}

void RtpSession::send_report(bool bye, std::int64_t now_ns) noexcept {
    Endpoint to = settings_.rtcp_mux ? destination() : rtcp_source_.value_or(remote_rtcp_);
    if (!to.is_set()) return;
    std::optional<rtp::SenderInfo> sender;
    if (LegCounters::get(counters_->sent_packets) > 0) {
        const auto since_rtp = static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(now_ns - clock_ns_, 0, base::kNsPerS) * codec().rtp_clock_hz /
            base::kNsPerS);
        sender =
            rtp::SenderInfo{rtp::ntp_of(base::realtime_ns()),
                            clock_rtp_ + since_rtp,
                            static_cast<std::uint32_t>(LegCounters::get(counters_->sent_packets)),
                            static_cast<std::uint32_t>(LegCounters::get(counters_->sent_bytes))};
    }
    const auto remote_ssrc = reception_.any() ? std::optional(lock_.ssrc()) : std::nullopt;
    std::array<std::uint8_t, kMaxReportBytes + srtp::kMaxOverheadBytes> report;
    std::size_t size = rtp::write_report(ssrc_,
                                         sender,
                                         remote_ssrc,
                                         reception_.take_block(),
                                         last_sr_,
                                         settings_.cname,
                                         bye,
                                         now_ns,
                                         std::span(report).first(kMaxReportBytes));
    if (srtp_.outbound) size = srtp_.outbound->protect_rtcp(std::span(report).first(size), report);
    const int fd = settings_.rtcp_mux ? sockets_.rtp_fd() : sockets_.rtcp_fd();
    if (size > 0 && sendto(fd, report.data(), size, MSG_NOSIGNAL, to.data(), to.size()) >= 0) {
        LegCounters::add<std::uint64_t>(counters_->rtcp_sent, 1);
        LegCounters::add<std::uint64_t>(counters_->rtcp_sent_bytes, size);
    }
}

}  // namespace offhook::session
