#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace offhook::model {

/// The AI's sound on its way to the caller: one writer (the AI thread), one reader (the media
/// worker's `linekeeper`). Any amount may be written at once; it lives in chunks, up to
/// `limit_samples`, beyond which the oldest are dropped and counted. While the reader stands still
/// memory is bounded by twice the limit; beyond that the new are dropped and counted. The reader
/// neither waits, locks nor allocates. Positions are absolute sample counts since the start.
class VoiceQueue {
public:
    explicit VoiceQueue(std::uint64_t limit_samples);
    ~VoiceQueue();
    VoiceQueue(const VoiceQueue&) = delete;
    VoiceQueue& operator=(const VoiceQueue&) = delete;

    /// Copies `pcm` in; returns the position after its last sample. @thread writer; allocates a
    /// chunk now and then
    std::uint64_t write(std::span<const std::int16_t> pcm);

    /// Everything written so far and not yet played goes (barge-in); the reader fades. @thread
    /// writer
    void clear() noexcept;

    /// Samples waiting. @thread any
    [[nodiscard]] std::uint64_t queued_samples() const noexcept;
    [[nodiscard]] std::uint64_t written_samples() const noexcept {
        return written_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t read_samples() const noexcept {
        return read_.load(std::memory_order_acquire);
    }
    /// Dropped because the queue was full (cleared ones are not counted). @thread any
    [[nodiscard]] std::uint64_t dropped_samples() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

    /// Takes up to `out.size()` samples; returns how many. `was_cut` says that samples before these
    /// were cleared or dropped, so that the reader can fade. @thread reader
    std::size_t read(std::span<std::int16_t> out, bool& was_cut) noexcept;

private:
    static constexpr std::size_t kChunkSamples = 3200;
    struct Chunk {
        std::array<std::int16_t, kChunkSamples> samples;
        std::atomic<Chunk*> next{nullptr};
    };

    void reclaim();
    void hold_chunk_of(std::uint64_t position) noexcept;

    const std::uint64_t limit_samples_;
    // writer
    std::deque<std::unique_ptr<Chunk>> chunks_;  ///< oldest first; the last one is being filled
    std::uint64_t first_chunk_at_ = 0;           ///< position of chunks_.front()
    // both
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> read_{0};
    std::atomic<std::uint64_t> skip_to_{0};  ///< the reader must go on from here at least
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<Chunk*> first_{nullptr};              ///< handed over once
    std::atomic<std::uint64_t> reading_chunk_at_{0};  ///< position of the chunk the reader holds
    // reader
    Chunk* reading_ = nullptr;
    std::uint64_t reading_at_ = 0;  ///< position of reading_
};

}  // namespace offhook::model
