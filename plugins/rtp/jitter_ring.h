#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rtp/packet.h"

namespace offhook::rtp {

/// Puts packets back in order and decides when each is played, with as little delay as the network
/// allows: while packets come in order and in time, each is played the moment it arrives (target
/// 0). Measured lateness or reordering raises the target (to at most 80 ms); it shrinks again after
/// a quiet time. Loss is reported as a gap when waiting longer would exceed the target (at least
/// one packet time when something later is already held).
///
///     arrive() --PlayNow--------------------------> decode straight from the datagram
///         |----Held--> [ ring by sequence ] --next()--> Packet | Lost
///         '----Late, Duplicate, Restarted (source jumped: the ring starts over at this packet,
///         PlayNow)
///
/// Bounded: 32 slots, storage of a slot allocated on first use and at most 1,500 bytes.
/// @thread one (the call's media worker)
class JitterRing {
public:
    /// @param clock_hz RTP clock of the codec (8000, 48000)
    explicit JitterRing(std::uint32_t clock_hz);

    enum class Verdict { PlayNow, Held, Late, Duplicate };
    struct Arrival {
        Verdict verdict = Verdict::PlayNow;
        bool restarted = false;  ///< sequence or timestamp jumped beyond repair: continuity is lost
                                 ///< before this packet
        bool reordered = false;
    };
    /// Judges one packet. After PlayNow the caller decodes it, then asks `next` for what was
    /// waiting behind it.
    Arrival arrive(const PacketView& packet, std::int64_t now_ns);

    struct Item {
        enum class Kind { Packet, Lost } kind = Kind::Lost;
        PacketView packet;               ///< Kind::Packet; valid until the next call on the ring
        std::uint32_t duration_rtp = 0;  ///< Kind::Lost: how much time is missing, in RTP ticks
    };
    /// What is due now, in order; empty when nothing is. Call in a loop after `arrive` and once per
    /// 20 ms slot.
    std::optional<Item> next(std::int64_t now_ns);

    /// The added delay in force.
    [[nodiscard]] std::int64_t target_ns() const noexcept;
    /// Forgets everything (resume after hold, SSRC change); the next packet starts anew.
    void reset() noexcept;
};

}  // namespace offhook::rtp
