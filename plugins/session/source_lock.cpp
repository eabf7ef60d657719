#include "session/source_lock.h"

namespace offhook::session {

SourceLock::Verdict SourceLock::judge(const rtp::PacketView& packet,
                                      const Endpoint& from,
                                      std::int64_t now_ns) noexcept {
    if (locked_ && from == source_ && packet.ssrc == ssrc_) {
        heard_ns_ = now_ns;
        if (loose_packets_ > 0) --loose_packets_;
        return Verdict::Accepted;
    }
    if ((!locked_ || awaits_announced_) && from == announced_) {
        take(packet, from, now_ns);
        return Verdict::AcceptedNewSource;
    }
    const bool may_take_over = !locked_ || from == source_ || is_silent(now_ns);
    if (!may_take_over || !passes_probation(packet, from)) return Verdict::Refused;
    take(packet, from, now_ns);
    return Verdict::AcceptedNewSource;
}

SourceLock::Verdict SourceLock::follow(const rtp::PacketView& packet,
                                       std::int64_t now_ns) noexcept {
    if (locked_ && packet.ssrc == ssrc_) {
        heard_ns_ = now_ns;
        return Verdict::Accepted;
    }
    const bool comes_back = locked_ && has_left_ssrc_ && packet.ssrc == left_ssrc_;
    if (comes_back && now_ns - heard_ns_ <= kBriefSilenceNs) return Verdict::Refused;
    has_left_ssrc_ = locked_;
    left_ssrc_ = ssrc_;
    take(packet, Endpoint(), now_ns);
    return Verdict::AcceptedNewSource;
}

void SourceLock::unlock() noexcept {
    if (locked_) left_ = source_;
    locked_ = false;
    awaits_announced_ = true;
    loose_packets_ = 0;
    candidate_packets_ = 0;
}

void SourceLock::loosen() noexcept {
    if (locked_) loose_packets_ = kStillHere;
}

bool SourceLock::is_silent(std::int64_t now_ns) const noexcept {
    return now_ns - heard_ns_ > (loose_packets_ > 0 ? kBriefSilenceNs : kSilenceNs);
}

bool SourceLock::passes_probation(const rtp::PacketView& packet, const Endpoint& from) noexcept {
    const bool continues = candidate_packets_ > 0 && from == candidate_ &&
                           packet.ssrc == candidate_ssrc_ &&
                           packet.sequence == static_cast<std::uint16_t>(candidate_sequence_ + 1);
    candidate_packets_ = continues ? candidate_packets_ + 1 : 1;
    candidate_ = from;
    candidate_ssrc_ = packet.ssrc;
    candidate_sequence_ = packet.sequence;
    const bool comes_back = !locked_ && left_.is_set() && from == left_;
    return candidate_packets_ >= (comes_back ? kComebackProbation : kProbation);
}

void SourceLock::take(const rtp::PacketView& packet,
                      const Endpoint& from,
                      std::int64_t now_ns) noexcept {
    locked_ = true;
    if (from == announced_) awaits_announced_ = false;
    loose_packets_ = 0;
    left_ = Endpoint();
    source_ = from;
    ssrc_ = packet.ssrc;
    heard_ns_ = now_ns;
    candidate_packets_ = 0;
}

}  // namespace offhook::session
