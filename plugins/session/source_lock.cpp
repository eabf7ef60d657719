#include "session/source_lock.h"

namespace offhook::session {

SourceLock::Verdict SourceLock::judge(const rtp::PacketView& packet,
                                      const Endpoint& from,
                                      std::int64_t now_ns) noexcept {
    if (locked_ && from == source_ && packet.ssrc == ssrc_) {
        heard_ns_ = now_ns;
        return Verdict::Accepted;
    }
    if (!locked_ && from == announced_) {
        take(packet, from, now_ns);
        return Verdict::AcceptedNewSource;
    }
    const bool may_take_over = !locked_ || from == source_ || now_ns - heard_ns_ > kSilenceNs;
    if (!may_take_over || !passes_probation(packet, from)) return Verdict::Refused;
    take(packet, from, now_ns);
    return Verdict::AcceptedNewSource;
}

bool SourceLock::passes_probation(const rtp::PacketView& packet, const Endpoint& from) noexcept {
    const bool continues = candidate_packets_ > 0 && from == candidate_ &&
                           packet.ssrc == candidate_ssrc_ &&
                           packet.sequence == static_cast<std::uint16_t>(candidate_sequence_ + 1);
    candidate_packets_ = continues ? candidate_packets_ + 1 : 1;
    candidate_ = from;
    candidate_ssrc_ = packet.ssrc;
    candidate_sequence_ = packet.sequence;
    return candidate_packets_ >= kProbation;
}

void SourceLock::take(const rtp::PacketView& packet,
                      const Endpoint& from,
                      std::int64_t now_ns) noexcept {
    locked_ = true;
    source_ = from;
    ssrc_ = packet.ssrc;
    heard_ns_ = now_ns;
    candidate_packets_ = 0;
}

}  // namespace offhook::session
