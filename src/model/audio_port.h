#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/call_recorder.h"
#include "model/channel_seat.h"
#include "model/level_ring.h"
#include "model/voice_ledger.h"
#include "model/voice_queue.h"

namespace offhook::model {

/// Caller's sound on its way to the AI: one writer (the media worker's `aitap`), one reader (the AI
/// thread). The writer never waits; when the reader is slow the oldest samples are overwritten and
/// the reader counts them.
class TapRing {
public:
    /// @param capacity_samples rounded up to a power of two, at least 1024
    explicit TapRing(std::size_t capacity_samples);

    /// Appends mono S16 samples. @thread writer
    void write(std::span<const std::int16_t> pcm) noexcept;

    /// Copies up to `out.size()` of the oldest unread samples; returns how many. @thread reader
    std::size_t read(std::span<std::int16_t> out) noexcept;

    [[nodiscard]] std::uint64_t written_samples() const noexcept {
        return written_.load(std::memory_order_acquire);
    }
    /// What the reader has taken or lost. @thread any
    [[nodiscard]] std::uint64_t read_samples() const noexcept {
        return read_.load(std::memory_order_relaxed);
    }
    /// Samples lost because the reader was slow. @thread any
    [[nodiscard]] std::uint64_t dropped_samples() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    std::vector<std::atomic<std::int16_t>> samples_;
    std::size_t mask_;
    std::atomic<std::uint64_t> claimed_{0};  ///< the writer may be overwriting up to here
    std::atomic<std::uint64_t> written_{0};  ///< complete up to here
    std::atomic<std::uint64_t> read_{0};     ///< written by the reader alone
    std::atomic<std::uint64_t> dropped_{0};
};

/// Where media and AI meet: both directions of one call's sound at one sample rate (8000 or 16000
/// Hz). Shared by the elements of the call and the AI session; each side may outlive the other.
struct AudioPort {
    explicit AudioPort(std::uint32_t rate_hz);

    const std::uint32_t sample_rate_hz;
    TapRing tap;         ///< caller -> AI
    VoiceQueue voice;    ///< AI -> caller
    VoiceLedger ledger;  ///< what came of each sample of `voice`
    /// CLOCK_MONOTONIC when the newest sample of `tap` was written; 0: none yet. Set by the media
    /// worker (release) after the sample.
    std::atomic<std::int64_t> tapped_ns{0};
    /// The `tapped_ns` of what the reader of `tap` took last; 0: nothing yet. Set by the AI thread
    /// (relaxed).
    std::atomic<std::int64_t> heard_ns{0};
    /// Set: the leg is in a channel. Its elements bring their sound there and take the mix, and the
    /// other members above are the mixer's and the AI's. Belongs to the leg's worker: changed by a
    /// command of control between two ticks.
    std::shared_ptr<ChannelSeat> seat;
    LevelRing sent_levels;  ///< of what left, the AI's sound and filler alike
    /// A leg's sender writes `sent_levels`, in a channel as well; else the mixer does, with what the
    /// AI says. Set before the port is shared.
    bool has_leg = false;
    /// While true, what comes due of `voice` is dropped and filler is played: the call is on hold
    /// by us. In the ledger that is a gap, as if it were cleared. Set by control, read by the media worker (relaxed).
    std::atomic<bool> is_voice_muted{false};

    /// The leg's elements leave its sound there from their next frame on. Once in the life of a port.
    /// @thread control
    void record(std::shared_ptr<CallRecorder> recorder) noexcept {
        recorder_ = std::move(recorder);
        recording_.store(recorder_.get(), std::memory_order_release);
    }
    /// Null: the call is not recorded. @thread the leg's worker
    [[nodiscard]] CallRecorder* recorder() const noexcept {
        return recording_.load(std::memory_order_acquire);
    }

private:
    std::shared_ptr<CallRecorder> recorder_;
    std::atomic<CallRecorder*> recording_{nullptr};
};

}  // namespace offhook::model
