#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "model/voice_pool.h"

namespace offhook::model {

/// The AI's sound on its way to the caller: one writer (the AI thread), one reader (the media
/// worker's `linekeeper`). Any amount may be written at once; it lives in chunks of a pool, up to
/// `limit_samples`, beyond which the oldest are dropped and counted. While the reader stands still
/// memory is bounded by twice the limit; beyond that, and when the pool is empty, the new are not
/// taken, and counted. The reader neither waits, locks nor allocates. Positions are absolute sample
/// counts since the start.
class VoiceQueue {
public:
    explicit VoiceQueue(std::uint64_t limit_samples,
                        std::shared_ptr<VoicePool> pool = VoicePool::shared());
    ~VoiceQueue();
    VoiceQueue(const VoiceQueue&) = delete;
    VoiceQueue& operator=(const VoiceQueue&) = delete;

    // writer

    /// Copies `pcm` in; returns the position after its last sample that was taken.
    std::uint64_t write(std::span<const std::int16_t> pcm);
    /// Everything written so far and not yet played goes (barge-in); the reader fades.
    void clear() noexcept;
    /// The reader stops at its next frame, with a fade, and goes on there after `resume`.
    void pause() noexcept { is_paused_.store(true, std::memory_order_release); }
    void resume() noexcept { is_paused_.store(false, std::memory_order_release); }
    void set_limit(std::uint64_t limit_samples) noexcept { limit_samples_ = limit_samples; }
    /// Gives chunks that the reader is done with back to the pool; `write` does so as well.
    void reclaim() noexcept;
    /// The oldest were dropped up to here, the last time that the queue was full; 0: never.
    [[nodiscard]] std::uint64_t overflowed_to() const noexcept { return overflowed_to_; }

    // any thread

    /// Samples waiting.
    [[nodiscard]] std::uint64_t queued_samples() const noexcept;
    [[nodiscard]] std::uint64_t written_samples() const noexcept {
        return written_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t read_samples() const noexcept {
        return read_.load(std::memory_order_acquire);
    }
    /// When something was written last (CLOCK_MONOTONIC); 0: nothing was.
    [[nodiscard]] std::int64_t written_ns() const noexcept {
        return written_ns_.load(std::memory_order_relaxed);
    }
    /// Dropped or not taken because the queue was full or the pool empty (cleared ones are not
    /// counted); what the reader takes meanwhile may be counted as well.
    [[nodiscard]] std::uint64_t dropped_samples() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_paused() const noexcept {
        return is_paused_.load(std::memory_order_acquire);
    }

    // reader

    /// Takes up to `out.size()` samples; returns how many. `was_cut` says that samples before these
    /// were cleared or dropped, so that the reader can fade.
    std::size_t read(std::span<std::int16_t> out, bool& was_cut) noexcept;
    /// Samples are to be skipped that were cleared or dropped since the last `read` or `skip`.
    [[nodiscard]] bool is_cut() const noexcept {
        return skip_to_.load(std::memory_order_acquire) > read_.load(std::memory_order_relaxed);
    }
    /// Takes up to `out.size()` samples of what stands before such a cut: what a fade is made of.
    std::size_t read_before_cut(std::span<std::int16_t> out) noexcept;
    /// Goes over what was cut, and over up to `samples` more.
    void skip(std::uint64_t samples) noexcept;

private:
    static constexpr std::size_t kChunkSamples = VoiceChunk::kSamples;

    std::size_t copy(std::uint64_t& position,
                     std::uint64_t end,
                     std::span<std::int16_t> out) noexcept;
    void hold_chunk_of(std::uint64_t position) noexcept;

    // writer
    std::uint64_t limit_samples_;
    const std::shared_ptr<VoicePool> pool_;
    std::deque<VoiceChunk*> chunks_;    ///< oldest first; the last one is being filled
    std::uint64_t first_chunk_at_ = 0;  ///< position of chunks_.front()
    std::uint64_t overflowed_to_ = 0;
    // both
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::int64_t> written_ns_{0};
    std::atomic<std::uint64_t> read_{0};
    std::atomic<std::uint64_t> skip_to_{0};  ///< the reader must go on from here at least
    std::atomic<bool> is_paused_{false};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<VoiceChunk*> first_{nullptr};         ///< handed over once
    std::atomic<std::uint64_t> reading_chunk_at_{0};  ///< position of the chunk the reader holds
    // reader
    VoiceChunk* reading_ = nullptr;
    std::uint64_t reading_at_ = 0;  ///< position of reading_
};

}  // namespace offhook::model
