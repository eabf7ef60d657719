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
///   - another source may take over after kSilenceNs of silence
///   - `unlock` (signalling named another address): the announced source takes over with its first
///   packet, at any time; the one left behind may come back only after kComebackProbation packets,
///   so that what was still on the way does not pull the call back
///   - `loosen` (signalling spoke, and named the same address): a silence of kBriefSilenceNs is
///   enough, until the old source has shown kStillHere packets
///
/// @thread the media worker
class SourceLock {
public:
    static constexpr int kProbation = 3;
    static constexpr int kComebackProbation = 25;
    static constexpr int kStillHere = 50;
    static constexpr std::int64_t kSilenceNs = 3'000'000'000;
    static constexpr std::int64_t kBriefSilenceNs = 200'000'000;

    enum class Verdict { Accepted, AcceptedNewSource, Refused };

    void expect(const Endpoint& announced) noexcept { announced_ = announced; }
    /// Signalling said that the peer moved: the next valid source is taken, the announced one
    /// before all others.
    void unlock() noexcept;
    /// Signalling was heard again without another address: the peer may have moved behind its NAT.
    void loosen() noexcept;
    [[nodiscard]] Verdict judge(const rtp::PacketView& packet,
                                const Endpoint& from,
                                std::int64_t now_ns) noexcept;

    /// The same where packets are authenticated before they come here: a new SSRC is taken with its
    /// first packet (another track, a peer that started over). The one it took the place of may come
    /// back only after kBriefSilenceNs, so that what was still on the way does not pull the stream
    /// back.
    [[nodiscard]] Verdict follow(const rtp::PacketView& packet, std::int64_t now_ns) noexcept;

    [[nodiscard]] bool is_locked() const noexcept { return locked_; }
    [[nodiscard]] const Endpoint& source() const noexcept { return source_; }
    [[nodiscard]] std::uint32_t ssrc() const noexcept { return ssrc_; }

private:
    [[nodiscard]] bool is_silent(std::int64_t now_ns) const noexcept;
    bool passes_probation(const rtp::PacketView& packet, const Endpoint& from) noexcept;
    void take(const rtp::PacketView& packet, const Endpoint& from, std::int64_t now_ns) noexcept;

    Endpoint announced_;
    bool locked_ = false;
    bool awaits_announced_ =
        false;               ///< unlocked by signalling, and the announced one not heard yet
    int loose_packets_ = 0;  ///< of the locked source, until its silence is a long one again
    Endpoint left_;          ///< where the peer was before it moved
    Endpoint source_;
    std::uint32_t ssrc_ = 0;
    bool has_left_ssrc_ = false;
    std::uint32_t left_ssrc_ = 0;  ///< the one before `ssrc_`; authenticated streams only
    std::int64_t heard_ns_ = 0;

    Endpoint candidate_;
    std::uint32_t candidate_ssrc_ = 0;
    std::uint16_t candidate_sequence_ = 0;
    int candidate_packets_ = 0;
};

}  // namespace offhook::session
