#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "rtp/packet.h"

namespace offhook::rtp {

/// Puts packets back in order and decides when each is played, with as little delay as the network
/// allows: while packets come in order, each is played the moment it arrives (target 0). A packet
/// that came behind its successor, or after it was given up, raises the target to what it would
/// have needed (20 to 80 ms); 10 s without a need for it take 20 ms off again. Loss is reported as
/// a gap when waiting longer would exceed the target (one packet time at least, counted from the
/// arrival of something later).
///
///     arrive() --PlayNow--------------------------> decode straight from the datagram
///         |----Held--> [ ring by sequence ] --next()--> Packet | Lost
///         '----Late, Duplicate, Restarted (source jumped: the ring starts over at this packet,
///         PlayNow)
///
/// With a target, a packet is due at the time its timestamp stands for (the quickest of the last
/// seconds' packets tells, so a sender whose clock drifts gains no delay) plus the target. Packets
/// of any payload type go through, several may share a timestamp (RFC 4733), and a timestamp that
/// runs ahead of the sequence is silence, not loss.
///
/// Bounded: 32 slots, made when something is held for the first time; storage of a slot allocated
/// on first use and at most 1,500 bytes. When they are full the oldest is due at once. No packet
/// waits longer than 80 ms or one packet time, whichever is more.
/// @thread one (the call's media worker)
class JitterRing {
public:
    /// @param clock_hz RTP clock of the codec (8000, 48000)
    explicit JitterRing(std::uint32_t clock_hz);
    ~JitterRing();
    JitterRing(const JitterRing&) = delete;
    JitterRing& operator=(const JitterRing&) = delete;

    enum class Verdict { PlayNow, Held, Late, Duplicate };
    struct Arrival {
        Verdict verdict = Verdict::PlayNow;
        bool restarted = false;  ///< sequence or timestamp jumped beyond repair: continuity is lost
                                 ///< before this packet
        bool reordered = false;  ///< came behind a later one, and in time
    };
    /// Judges one packet. After PlayNow the caller decodes it, then asks `next` for what was
    /// waiting behind it.
    Arrival arrive(const PacketView& packet, std::int64_t now_ns) noexcept;

    struct Item {
        enum class Kind { Packet, Lost } kind = Kind::Lost;
        PacketView packet;               ///< Kind::Packet; valid until the next call on the ring
        std::int64_t waited_ns = 0;      ///< Kind::Packet: since it arrived
        std::uint32_t duration_rtp = 0;  ///< Kind::Lost: how much time is missing, in RTP ticks; 0
                                         ///< when only packets of a shared timestamp are
        std::uint32_t lost_packets = 0;  ///< Kind::Lost: how many sequence numbers, 1-100
    };
    /// What is due now, in order; empty when nothing is. Call in a loop after `arrive` and once per
    /// 20 ms slot.
    std::optional<Item> next(std::int64_t now_ns) noexcept;

    /// The added delay in force.
    [[nodiscard]] std::int64_t target_ns() const noexcept { return target_ns_; }
    /// Forgets everything (resume after hold, SSRC change); the next packet starts anew.
    void reset() noexcept;

private:
    static constexpr std::size_t kSlots = 32;
    struct Slot;
    struct Slots;

    void start_at(const PacketView& packet, std::int64_t now_ns) noexcept;
    [[nodiscard]] bool has_jumped(const PacketView& packet,
                                  int ahead,
                                  std::int64_t now_ns) const noexcept;
    Arrival arrive_old(const PacketView& packet, int behind, std::int64_t now_ns) noexcept;
    bool hold(const PacketView& packet, std::int64_t now_ns) noexcept;
    void played(std::uint16_t sequence, std::uint32_t timestamp_rtp) noexcept;
    Item give_up(const Slot& until) noexcept;

    [[nodiscard]] std::int64_t time_of(std::uint32_t timestamp_rtp) const noexcept;
    [[nodiscard]] std::int64_t due_ns(std::uint32_t timestamp_rtp) const noexcept;
    [[nodiscard]] std::int64_t packet_ns() const noexcept;
    void note_transit(std::int64_t transit_ns, bool is_next, std::int64_t now_ns) noexcept;
    void note_duration(const PacketView& packet) noexcept;
    void need_delay(std::int64_t needed_ns, bool was_lost, std::int64_t now_ns) noexcept;
    void let_fall(std::int64_t now_ns) noexcept;

    const std::uint32_t clock_hz_;
    bool started_ = false;
    std::uint16_t next_ = 0;          ///< sequence of the next to play
    std::uint64_t seen_ = 0;          ///< bit k: next_ - 1 - k was played
    std::uint32_t last_rtp_ = 0;      ///< timestamp of the last played
    std::uint32_t duration_rtp_ = 0;  ///< ticks from one packet to the next, as measured
    std::uint32_t maybe_duration_rtp_ = 0;

    // arrivals, to map timestamps to time
    std::uint16_t newest_ = 0;  ///< highest sequence arrived
    std::uint32_t newest_rtp_ = 0;
    std::int64_t newest_at_ = 0;       ///< newest_rtp_ without wrapping, in ticks
    std::int64_t newest_ns_ = 0;       ///< when the first packet of that timestamp came
    std::int64_t least_ns_ = 0;        ///< smallest transit in this window
    std::int64_t prior_least_ns_ = 0;  ///< and in the one before
    std::int64_t window_from_ns_ = 0;

    std::int64_t target_ns_ = 0;
    std::int64_t needed_at_ns_ = 0;   ///< when the target was last needed
    std::int64_t noticed_at_ns_ = 0;  ///< when the last lost packet was noticed missing
    std::size_t held_ = 0;
    std::unique_ptr<Slots> slots_;
};

}  // namespace offhook::rtp
