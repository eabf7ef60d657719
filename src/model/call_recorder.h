#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "model/channel_seat.h"

namespace offhook::model {

/// Both directions of one call as one stereo sound, on its way from the leg's media worker to who
/// writes it down. The frames of the line keeper are the clock: with each one that leaves, as much of
/// the caller's sound goes beside it, by way of a lane that takes the jitter out. What leaves waits a
/// frame for that, so that both sides are within one frame (20 ms) of each other.
///
///     aitap ------ hear --> SoundLane --.
///     linekeeper - say  --> one frame --+--> frames (2.5 s) --> read: left the caller, right the AI
///
/// The worker never waits, locks or allocates; a reader that is slow loses whole frames, which
/// shows in their numbers.
class CallRecorder {
public:
    static constexpr std::uint32_t kRateHz = SoundLane::kRateHz;
    static constexpr std::size_t kFrameSamples = SoundLane::kFrameSamples;
    static constexpr std::size_t kFrames = 128;

    struct Frame {
        std::uint64_t number = 0;  ///< of the call's frames since the recorder came, those lost too
        bool is_paused = false;    ///< then it is silence
        std::array<std::int16_t, 2 * kFrameSamples> samples{};  ///< left, right, left ...
    };

    CallRecorder();

    /// The caller's sound, 16 kHz. @thread the media worker
    void hear(std::span<const std::int16_t> pcm) noexcept;
    /// What leaves to the caller, a frame at 16 kHz. @thread the media worker
    void say(std::span<const std::int16_t, kFrameSamples> pcm) noexcept;

    /// The oldest frame that was not read. @return false: there is none. @thread reader
    bool read(Frame& frame) noexcept;

    /// From the next frame on nothing of the sound leaves the worker. @thread any
    void set_paused(bool is_paused) noexcept {
        is_paused_.store(is_paused, std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_paused() const noexcept {
        return is_paused_.load(std::memory_order_relaxed);
    }
    /// From now on frames are neither made nor kept. @thread any
    void stop() noexcept { is_stopped_.store(true, std::memory_order_relaxed); }
    /// @thread any
    [[nodiscard]] std::uint64_t dropped_frames() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    SoundLane caller_;
    std::array<std::int16_t, kFrameSamples> said_{};  ///< the worker's: the frame before
    std::uint64_t next_number_ = 0;                   ///< the worker's
    std::vector<Frame> frames_;
    std::atomic<std::uint64_t> written_{0}, read_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<bool> is_paused_{false}, is_stopped_{false};
};

}  // namespace offhook::model
