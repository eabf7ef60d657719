#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace offhook::model {

/// What came of the AI's sound, by position in its VoiceQueue, told when the packet that carries it
/// has been given to the network, or was not:
///
///     linekeeper   made:   frame OFFSET 3200 = positions 480 to 640, the reader is at 640 then
///     rtpcallsink  settle: OFFSET 3200 and 160 samples have left, or were held
///     Playout      runs:   480 to 1120 left, from then on; 1120 to 5000 did not (a gap); settled
///                          up to 5000
///
/// What is settled and in no run was dropped: cleared, overrun, muted, or its frame was held (a peer
/// on hold, a web leg without transport), lost to a DTMF digit or refused by the kernel. Elements
/// between the two may delay a frame by up to 2.5 s, and cut frames anew, as long as OFFSET or time
/// stamps follow the sound.
///
/// Memory is fixed and nobody waits: one line keeper and one sender write (the media worker), one
/// reader looks; a reader that comes too late for a run is told so.
class VoiceLedger {
public:
    /// What a frame of the line was made of: `samples` of the voice first, then filler.
    struct Frame {
        std::uint64_t offset = 0;  ///< samples of the line since its start, a multiple of a frame
        std::uint64_t begin = 0;   ///< position of its first sample of the voice
        std::uint64_t next = 0;    ///< where the queue's reader stood after it
        std::uint16_t samples = 0;
        std::int16_t level_cdb = kNoLevel;  ///< RMS, when `wants_levels`
    };
    /// Positions that left without a gap in position or in time.
    struct Run {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t left_before = 0;  ///< samples in all runs before this one
        std::int64_t started_ns = 0;    ///< CLOCK_MONOTONIC, when a silence ended with it; else 0
    };
    static constexpr std::int16_t kNoLevel = 1;  ///< no level is above 0 dBov

    explicit VoiceLedger(std::size_t frame_samples) noexcept : frame_samples_(frame_samples) {}

    /// @thread the line keeper's
    void made(const Frame& frame) noexcept;
    [[nodiscard]] bool wants_levels() const noexcept {
        return wants_levels_.load(std::memory_order_relaxed);
    }

    // sender

    /// `samples` of the line from `offset` on have left, or will not.
    void settle(std::uint64_t offset,
                std::size_t samples,
                bool has_left,
                std::int64_t now_ns) noexcept;
    /// The sender sees no samples, so that the line keeper has to measure them.
    void want_levels() noexcept { wants_levels_.store(true, std::memory_order_relaxed); }
    /// Of the frame that holds `offset`; kNoLevel when it is not known.
    [[nodiscard]] std::int16_t level_at(std::uint64_t offset) const noexcept;

    // any thread

    /// What came of all before this position is known. Load it first: runs up to it are complete.
    [[nodiscard]] std::uint64_t settled() const noexcept {
        return settled_.load(std::memory_order_acquire);
    }
    /// All that left so far, and when the last of it did (CLOCK_MONOTONIC, 0: nothing yet).
    [[nodiscard]] std::uint64_t left_samples() const noexcept {
        return left_samples_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::int64_t left_ns() const noexcept {
        return left_ns_.load(std::memory_order_relaxed);
    }
    /// How many runs there were, the current one included.
    [[nodiscard]] std::uint64_t runs() const noexcept {
        return runs_.load(std::memory_order_acquire);
    }
    /// The run of this number, from 0. @return false: overwritten, only the last 64 are here
    [[nodiscard]] bool run_at(std::uint64_t number, Run& run) const noexcept;

private:
    static constexpr std::size_t kFrames = 128;
    static constexpr std::size_t kRuns = 64;
    static constexpr std::uint64_t kNothing = ~std::uint64_t{0};
    struct FrameCell {
        std::atomic<std::uint64_t> offset{kNothing};
        std::atomic<std::uint64_t> begin{0};
        std::atomic<std::uint64_t> next{0};
        std::atomic<std::uint16_t> samples{0};
        std::atomic<std::int16_t> level_cdb{kNoLevel};
    };
    struct RunCell {
        std::atomic<std::uint64_t> begin{0}, end{0}, left_before{0};
        std::atomic<std::int64_t> started_ns{0};
    };

    [[nodiscard]] bool frame_at(std::uint64_t offset, Frame& frame) const noexcept;
    void leave(std::uint64_t begin, std::uint64_t end, std::int64_t now_ns) noexcept;

    const std::size_t frame_samples_;
    std::array<FrameCell, kFrames> frames_;
    std::array<RunCell, kRuns> cells_;
    std::atomic<bool> wants_levels_{false};
    std::atomic<std::uint64_t> runs_{0};
    std::atomic<std::uint64_t> left_samples_{0};
    std::atomic<std::int64_t> left_ns_{0};
    std::atomic<std::uint64_t> settled_{0};
    // sender
    std::uint64_t run_end_ = 0;
    bool was_silent_ = true;
};

}  // namespace offhook::model
