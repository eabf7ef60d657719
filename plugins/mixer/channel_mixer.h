#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/audio_port.h"
#include "model/channel_seat.h"
#include "worker/media_worker.h"

namespace offhook::mixer {

/// Who hears whom: `gain(listener, source)` by place, linear, 0 to 10. A member never hears itself.
class Matrix {
public:
    static constexpr std::size_t kMaxMembers = 64;
    explicit Matrix(std::size_t members) : members_(members), gains_(members * members, 0.0F) {}
    void set(std::size_t listener, std::size_t source, float gain) noexcept {
        gains_[listener * members_ + source] = gain;
    }
    [[nodiscard]] float gain(std::size_t listener, std::size_t source) const noexcept {
        return gains_[listener * members_ + source];
    }
    [[nodiscard]] std::size_t members() const noexcept { return members_; }

private:
    std::size_t members_;
    std::vector<float> gains_;
};

/// Figures of one member. Relaxed atomics, one writer.
struct MixMeter {
    std::atomic<std::int32_t> level_cdb{-12'700}, peak_cdb{-12'700};  ///< 1/100 dBov, of 200 ms
    std::atomic<bool> is_speaking{
        false};  ///< above -45 dBov and 9 dB over its own floor, 300 ms hangover
    std::atomic<std::uint64_t> clipped_samples{0}, heard_frames{0}, missing_frames{0};
};

/// What a member of a mix is made of; one of the two is set.
struct MixMember {
    std::shared_ptr<model::ChannelSeat> seat;  ///< a leg's
    /// An AI's: the mixer reads `voice` (and settles the ledger) and writes `tap`, as the leg's own
    /// elements would; nobody else does meanwhile.
    std::shared_ptr<model::AudioPort> ai;
    std::shared_ptr<MixMeter> meter;  ///< written by the mixer, read by anybody
};

struct Place;
class Mix;

/// The sound of one channel: every 20 ms on a media worker's tick, each member gets the others, as
/// the matrix says. Members come, go and change place between two frames, and gains glide over one,
/// so that nobody hears a click and nobody's stream has a gap.
///
///     seats' from_leg, AIs' voice -> levels -> sum by row, limiter -> seats' to_leg, AIs' tap
///
/// A late worker makes at most two frames back to back; what is more than 60 ms late is given up, and
/// counted (`late_frames`), as the line keeper does.
///
/// Owned by control; `retire` takes it off the worker before it goes.
/// @thread control, but for on_slot
class ChannelMixer final : public worker::TickClient {
public:
    [[nodiscard]] static std::shared_ptr<ChannelMixer> start(
        std::shared_ptr<worker::MediaWorker> worker);
    ~ChannelMixer() override;

    /// From the next frame on these are the members, in the order of the matrix' places. Members
    /// that were there before go on without a break. `after` runs on the worker once those that
    /// are no longer here are let go (their ports and seats are free then); it must not block.
    void set_members(std::vector<MixMember> members,
                     Matrix matrix,
                     std::function<void()> after = {});
    /// Only the gains change.
    void set_matrix(Matrix matrix);
    /// Waits for the worker (a tick): afterwards nothing of it runs any more.
    void retire();

    [[nodiscard]] const worker::MediaWorker& worker() const noexcept { return *worker_; }
    /// @thread any
    [[nodiscard]] std::uint64_t mixed_frames() const noexcept {
        return mixed_frames_.load(std::memory_order_relaxed);
    }
    /// Given up, since the worker was late. @thread any
    [[nodiscard]] std::uint64_t late_frames() const noexcept {
        return late_frames_.load(std::memory_order_relaxed);
    }

    bool on_slot(std::int64_t now_ns) noexcept override;

private:
    explicit ChannelMixer(std::shared_ptr<worker::MediaWorker> worker);
    void play(std::shared_ptr<Mix> mix, std::function<void()> after);
    [[nodiscard]] int frames_due(std::int64_t now_ns) noexcept;

    const std::shared_ptr<worker::MediaWorker> worker_;
    std::vector<std::shared_ptr<Place>> places_;  ///< of the newest mix
    bool is_retired_ = false;
    // worker
    std::shared_ptr<Mix> mix_;
    std::int64_t next_due_ns_ = 0;
    // worker writes, anybody reads
    std::atomic<std::uint64_t> mixed_frames_{0}, late_frames_{0};
};

}  // namespace offhook::mixer
