#include "rtp/jitter_ring.h"

#include <algorithm>
#include <limits>
#include <new>

#include "base/monotonic.h"
#include "model/codec.h"

namespace offhook::rtp {
namespace {

using base::kNsPerMs;
using base::kNsPerS;

constexpr std::int64_t kStepNs = 20 * kNsPerMs;
constexpr std::int64_t kMaxTargetNs = 80 * kNsPerMs;
constexpr std::int64_t kQuietNs = 10 * kNsPerS;
constexpr std::int64_t kWindowNs = 4 * kNsPerS;
constexpr std::int64_t kJumpNs = 3 * kNsPerS;
constexpr int kSequenceJump = 100;
/// Beyond this a transit is not jitter: the sender paused its timestamps, or the route changed.
constexpr std::int64_t kOtherWorldNs = 500 * kNsPerMs;
/// Later than this and no target would have helped.
constexpr std::int64_t kHopelessNs = 200 * kNsPerMs;
constexpr std::uint32_t kLongestPacketMs = 120;
constexpr std::size_t kStorageStep = 256;

int distance(std::uint16_t from, std::uint16_t to) noexcept {
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(to - from));
}

std::int32_t ticks_between(std::uint32_t from, std::uint32_t to) noexcept {
    return static_cast<std::int32_t>(to - from);
}

std::int64_t ticks_to_ns(std::int64_t ticks, std::uint32_t clock_hz) noexcept {
    const std::int64_t hz = clock_hz;
    return ticks / hz * kNsPerS + ticks % hz * kNsPerS / hz;
}

}  // namespace

struct JitterRing::Slot {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t capacity = 0;
    bool is_used = false;
    PacketView packet;  ///< its payload lies in `bytes`
    std::int64_t arrived_ns = 0;
};

struct JitterRing::Slots {
    std::array<Slot, kSlots> all;

    Slot* with(std::uint16_t sequence) noexcept {
        for (Slot& slot : all) {
            if (slot.is_used && slot.packet.sequence == sequence) return &slot;
        }
        return nullptr;
    }
    Slot* first_from(std::uint16_t sequence) noexcept {
        Slot* first = nullptr;
        for (Slot& slot : all) {
            if (!slot.is_used) continue;
            if (!first || distance(sequence, slot.packet.sequence) <
                              distance(sequence, first->packet.sequence)) {
                first = &slot;
            }
        }
        return first;
    }
    [[nodiscard]] std::int64_t oldest_arrival_ns() const noexcept {
        std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
        for (const Slot& slot : all) {
            if (slot.is_used) oldest = std::min(oldest, slot.arrived_ns);
        }
        return oldest;
    }
};

JitterRing::JitterRing(std::uint32_t clock_hz) : clock_hz_(clock_hz) {
    reset();
}
JitterRing::~JitterRing() = default;

void JitterRing::reset() noexcept {
    started_ = false;
    target_ns_ = 0;
    held_ = 0;
    duration_rtp_ = clock_hz_ / 1000 * model::kPtimeMs;
    maybe_duration_rtp_ = 0;
    slots_.reset();
}

JitterRing::Arrival JitterRing::arrive(const PacketView& packet, std::int64_t now_ns) noexcept {
    if (packet.payload.size() > model::kMaxPayloadBytes) return {.verdict = Verdict::Late};
    if (!started_) {
        start_at(packet, now_ns);
        return {};
    }
    const int ahead = distance(next_, packet.sequence);
    if (has_jumped(packet, ahead, now_ns)) {
        start_at(packet, now_ns);
        return {.restarted = true};
    }
    let_fall(now_ns);
    if (ahead < 0) return arrive_old(packet, -ahead, now_ns);
    if (slots_ && slots_->with(packet.sequence)) return {.verdict = Verdict::Duplicate};

    const bool is_reordered = distance(newest_, packet.sequence) < 0;
    const std::int64_t transit_ns = now_ns - time_of(packet.timestamp_rtp);
    note_transit(transit_ns, !is_reordered && ahead == 0, now_ns);
    if (is_reordered) {
        const std::int64_t behind_ns = held_ != 0 ? now_ns - slots_->oldest_arrival_ns() : 0;
        need_delay(
            std::min(transit_ns - std::min(least_ns_, prior_least_ns_), behind_ns + packet_ns()),
            false,
            now_ns);
    } else {
        note_duration(packet);
        newest_at_ += ticks_between(newest_rtp_, packet.timestamp_rtp);
        if (packet.timestamp_rtp != newest_rtp_) newest_ns_ = now_ns;
        newest_ = packet.sequence;
        newest_rtp_ = packet.timestamp_rtp;
    }
    if (ahead == 0 && (target_ns_ == 0 || due_ns(packet.timestamp_rtp) <= now_ns)) {
        played(packet.sequence, packet.timestamp_rtp);
        return {.reordered = is_reordered};
    }
    if (!hold(packet, now_ns)) return {.verdict = Verdict::Late};
    return {.verdict = Verdict::Held, .reordered = is_reordered};
}

std::optional<JitterRing::Item> JitterRing::next(std::int64_t now_ns) noexcept {
    Slot* const first = held_ == 0 ? nullptr : slots_->first_from(next_);
    if (!first) return std::nullopt;
    let_fall(now_ns);
    const bool is_full = held_ == kSlots;
    const std::int64_t due = due_ns(first->packet.timestamp_rtp);
    if (first->packet.sequence != next_) {
        // An eighth less than a packet time: the successor's successor should not come a jitter too
        // early to tell.
        const std::int64_t patience_ns = packet_ns() - packet_ns() / 8;
        const std::int64_t until_ns =
            std::max(target_ns_ == 0 ? 0 : due, slots_->oldest_arrival_ns() + patience_ns);
        if (now_ns < until_ns && !is_full) return std::nullopt;
        return give_up(*first);
    }
    if (target_ns_ != 0 && now_ns < due && !is_full) return std::nullopt;
    first->is_used = false;
    --held_;
    played(first->packet.sequence, first->packet.timestamp_rtp);
    Item item;
    item.kind = Item::Kind::Packet;
    item.packet = first->packet;
    item.waited_ns = now_ns - first->arrived_ns;
    return item;
}

// The packet is played at once; what was held belongs to the time before.
void JitterRing::start_at(const PacketView& packet, std::int64_t now_ns) noexcept {
    started_ = true;
    if (slots_) {
        for (Slot& slot : slots_->all) slot.is_used = false;
    }
    held_ = 0;
    seen_ = 0;
    newest_ = packet.sequence;
    newest_rtp_ = packet.timestamp_rtp;
    newest_at_ = 0;
    newest_ns_ = now_ns;
    least_ns_ = prior_least_ns_ = now_ns;
    window_from_ns_ = needed_at_ns_ = now_ns;
    next_ = packet.sequence;
    played(packet.sequence, packet.timestamp_rtp);
}

bool JitterRing::has_jumped(const PacketView& packet,
                            int ahead,
                            std::int64_t now_ns) const noexcept {
    if (ahead > kSequenceJump || ahead < -kSequenceJump) return true;
    const std::int64_t jump_ns =
        ticks_to_ns(ticks_between(newest_rtp_, packet.timestamp_rtp), clock_hz_);
    if (jump_ns >= -kJumpNs && jump_ns <= kJumpNs) return false;
    // A long silence moves the timestamp as far as the clock on the wall.
    const std::int64_t off_ns = jump_ns - (now_ns - newest_ns_);
    return off_ns < -kNsPerS || off_ns > kNsPerS;
}

JitterRing::Arrival JitterRing::arrive_old(const PacketView& packet,
                                           int behind,
                                           std::int64_t now_ns) noexcept {
    if (behind > 64) return {.verdict = Verdict::Late};
    const std::uint64_t bit = std::uint64_t{1} << (behind - 1);
    if ((seen_ & bit) != 0) return {.verdict = Verdict::Duplicate};
    seen_ |= bit;  // a second copy is no news
    const std::int64_t lateness_ns =
        now_ns - time_of(packet.timestamp_rtp) - std::min(least_ns_, prior_least_ns_);
    need_delay(std::min(lateness_ns, now_ns - noticed_at_ns_ + packet_ns()), true, now_ns);
    return {.verdict = Verdict::Late};
}

// False: no slot (`next` was not asked) or no memory; the packet is then lost to this call alone.
bool JitterRing::hold(const PacketView& packet, std::int64_t now_ns) noexcept {
    if (held_ == kSlots) return false;
    if (!slots_) slots_.reset(new (std::nothrow) Slots);
    if (!slots_) return false;
    Slot& slot = *std::find_if(
        slots_->all.begin(), slots_->all.end(), [](const Slot& s) { return !s.is_used; });
    if (slot.capacity < packet.payload.size()) {
        slot.capacity =
            std::min((packet.payload.size() + kStorageStep - 1) / kStorageStep * kStorageStep,
                     model::kMaxPayloadBytes);
        slot.bytes.reset(new (std::nothrow) std::uint8_t[slot.capacity]);
        if (!slot.bytes) {
            slot.capacity = 0;
            return false;
        }
    }
    std::copy(packet.payload.begin(), packet.payload.end(), slot.bytes.get());
    slot.packet = packet;
    slot.packet.payload = std::span<const std::uint8_t>(slot.bytes.get(), packet.payload.size());
    slot.arrived_ns = now_ns;
    slot.is_used = true;
    ++held_;
    return true;
}

void JitterRing::played(std::uint16_t sequence, std::uint32_t timestamp_rtp) noexcept {
    next_ = static_cast<std::uint16_t>(sequence + 1);
    seen_ = seen_ << 1 | 1;
    last_rtp_ = timestamp_rtp;
}

JitterRing::Item JitterRing::give_up(const Slot& until) noexcept {
    const int missing = distance(next_, until.packet.sequence);
    Item item;
    item.lost_packets = static_cast<std::uint32_t>(missing);
    // The timestamps tell how much sound is missing; where they also jump over silence, the count
    // does.
    const std::int64_t between =
        ticks_between(last_rtp_, until.packet.timestamp_rtp) - std::int64_t{duration_rtp_};
    item.duration_rtp = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(between, 0, std::int64_t{missing} * duration_rtp_));
    noticed_at_ns_ = slots_->oldest_arrival_ns();
    next_ = until.packet.sequence;
    seen_ = missing < 64 ? seen_ << missing : 0;
    return item;
}

// Relative to the first packet's time, on the sender's clock.
std::int64_t JitterRing::time_of(std::uint32_t timestamp_rtp) const noexcept {
    return ticks_to_ns(newest_at_ + ticks_between(newest_rtp_, timestamp_rtp), clock_hz_);
}

std::int64_t JitterRing::due_ns(std::uint32_t timestamp_rtp) const noexcept {
    return time_of(timestamp_rtp) + std::min(least_ns_, prior_least_ns_) + target_ns_;
}

std::int64_t JitterRing::packet_ns() const noexcept {
    return ticks_to_ns(duration_rtp_, clock_hz_);
}

void JitterRing::note_transit(std::int64_t transit_ns, bool is_next, std::int64_t now_ns) noexcept {
    if (is_next && transit_ns - std::min(least_ns_, prior_least_ns_) > kOtherWorldNs) {
        least_ns_ = prior_least_ns_ = transit_ns;
        window_from_ns_ = now_ns;
        return;
    }
    if (now_ns - window_from_ns_ >= kWindowNs) {
        prior_least_ns_ = least_ns_;
        least_ns_ = transit_ns;
        window_from_ns_ = now_ns;
    }
    least_ns_ = std::min(least_ns_, transit_ns);
}

// Believed when two neighbours in a row agree: a key press or a pause makes any single distance.
void JitterRing::note_duration(const PacketView& packet) noexcept {
    if (distance(newest_, packet.sequence) != 1) return;
    const std::int32_t ticks = ticks_between(newest_rtp_, packet.timestamp_rtp);
    if (ticks <= 0 || ticks > static_cast<std::int32_t>(clock_hz_ / 1000 * kLongestPacketMs))
        return;
    const auto duration = static_cast<std::uint32_t>(ticks);
    if (duration == maybe_duration_rtp_) duration_rtp_ = duration;
    maybe_duration_rtp_ = duration;
}

void JitterRing::need_delay(std::int64_t needed_ns, bool was_lost, std::int64_t now_ns) noexcept {
    if (needed_ns > kHopelessNs) return;
    std::int64_t wanted_ns = (needed_ns + kStepNs - 1) / kStepNs * kStepNs;
    if (was_lost) wanted_ns = std::max(wanted_ns, target_ns_ + kStepNs);
    wanted_ns = std::clamp(wanted_ns, kStepNs, kMaxTargetNs);
    if (wanted_ns >= target_ns_) needed_at_ns_ = now_ns;
    target_ns_ = std::max(target_ns_, wanted_ns);
}

void JitterRing::let_fall(std::int64_t now_ns) noexcept {
    if (target_ns_ == 0 || now_ns - needed_at_ns_ < kQuietNs) return;
    target_ns_ -= kStepNs;
    needed_at_ns_ = now_ns;
}

}  // namespace offhook::rtp
