#pragma once

#include <cstdint>

#include "rtp/packet.h"
#include "session/endpoint.h"

namespace offhook::session {

/// Decides whose packets are the caller's (symmetric RTP, RFC 4961): locks on the first source that
/// shows itself valid and refuses all others, so that a stranger who guesses the port neither
/// speaks to the AI nor draws our sound to himself.
///
///   - the address and port announced in SDP: locked by its first valid packet
///   - another source (NAT): locked after kProbation packets with one SSRC and consecutive sequence
///   numbers
///   - once locked: only that address, port and SSRC; a new SSRC from the locked address after
///   kProbation packets
///   - another source may take over only after `unlock` (signalling moved the call) or kSilenceNs
///   of silence
///
/// @thread the media worker
class SourceLock {
public:
    static constexpr int kProbation = 3;
    static constexpr std::int64_t kSilenceNs = 3'000'000'000;

    enum class Verdict { Accepted, AcceptedNewSource, Refused };

    void expect(const Endpoint& announced) noexcept { announced_ = announced; }
    /// Signalling said that the peer moved: the next valid source is taken.
    void unlock() noexcept { locked_ = false; }
    [[nodiscard]] Verdict judge(const rtp::PacketView& packet,
                                const Endpoint& from,
                                std::int64_t now_ns) noexcept;

    [[nodiscard]] bool is_locked() const noexcept { return locked_; }
    [[nodiscard]] const Endpoint& source() const noexcept { return source_; }
    [[nodiscard]] std::uint32_t ssrc() const noexcept { return ssrc_; }

private:
    bool passes_probation(const rtp::PacketView& packet, const Endpoint& from) noexcept;
    void take(const rtp::PacketView& packet, const Endpoint& from, std::int64_t now_ns) noexcept;

    Endpoint announced_;
    bool locked_ = false;
    Endpoint source_;
    std::uint32_t ssrc_ = 0;
    std::int64_t heard_ns_ = 0;

    Endpoint candidate_;
    std::uint32_t candidate_ssrc_ = 0;
    std::uint16_t candidate_sequence_ = 0;
    int candidate_packets_ = 0;
};

}  // namespace offhook::session
