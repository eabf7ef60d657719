#include "model/voice_queue.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"

namespace offhook::model {

VoiceQueue::VoiceQueue(std::uint64_t limit_samples, std::shared_ptr<VoicePool> pool)
    : limit_samples_(limit_samples), pool_(std::move(pool)) {}

VoiceQueue::~VoiceQueue() {
    for (VoiceChunk* chunk : chunks_) pool_->give_back(chunk);
}

std::uint64_t VoiceQueue::write(std::span<const std::int16_t> pcm) {
    reclaim();
    std::uint64_t position = written_.load(std::memory_order_relaxed);
    // Chunks come back when the reader moves on. One that stands still (a call on hold) would keep
    // them all: there the new samples go, since the old ones cannot.
    const std::uint64_t full_at = first_chunk_at_ + 2 * limit_samples_ + kChunkSamples;
    const std::uint64_t room = full_at > position ? full_at - position : 0;
    std::uint64_t refused = 0;
    if (pcm.size() > room) {
        refused = pcm.size() - room;
        pcm = pcm.first(static_cast<std::size_t>(room));
    }
    while (!pcm.empty()) {
        const std::uint64_t end = first_chunk_at_ + chunks_.size() * kChunkSamples;
        if (position == end) {
            VoiceChunk* const chunk = pool_->take();
            if (!chunk) break;
            VoiceChunk* const last = chunks_.empty() ? nullptr : chunks_.back();
            chunks_.push_back(chunk);
            (last ? last->next : first_).store(chunk, std::memory_order_release);
        }
        const std::size_t offset = (position - first_chunk_at_) % kChunkSamples;
        const std::size_t n = std::min(pcm.size(), kChunkSamples - offset);
        std::copy_n(
            pcm.begin(), n, chunks_.back()->samples.begin() + static_cast<std::ptrdiff_t>(offset));
        pcm = pcm.subspan(n);
        position += n;
        written_.store(position, std::memory_order_release);
    }
    refused += pcm.size();
    const std::uint64_t done =
        std::max(read_.load(std::memory_order_acquire), skip_to_.load(std::memory_order_relaxed));
    if (position - done > limit_samples_) {
        overflowed_to_ = position - limit_samples_;
        refused += overflowed_to_ - done;
        skip_to_.store(overflowed_to_, std::memory_order_release);
    }
    if (refused > 0) dropped_.fetch_add(refused, std::memory_order_relaxed);
    written_ns_.store(base::monotonic_ns(), std::memory_order_relaxed);
    return position;
}

void VoiceQueue::clear() noexcept {
    skip_to_.store(written_.load(std::memory_order_relaxed), std::memory_order_release);
}

std::uint64_t VoiceQueue::queued_samples() const noexcept {
    const std::uint64_t done =
        std::max(read_.load(std::memory_order_acquire), skip_to_.load(std::memory_order_acquire));
    const std::uint64_t written = written_.load(std::memory_order_acquire);
    return written > done ? written - done : 0;
}

std::size_t VoiceQueue::read(std::span<std::int16_t> out, bool& was_cut) noexcept {
    const std::uint64_t before = read_.load(std::memory_order_relaxed);
    const std::uint64_t skip_to = skip_to_.load(std::memory_order_acquire);
    const std::uint64_t written = written_.load(std::memory_order_acquire);
    std::uint64_t position = skip_to > before ? std::min(skip_to, written) : before;
    was_cut = position != before;
    const std::size_t taken = copy(position, written, out);
    read_.store(position, std::memory_order_release);
    return taken;
}

std::size_t VoiceQueue::read_before_cut(std::span<std::int16_t> out) noexcept {
    std::uint64_t position = read_.load(std::memory_order_relaxed);
    const std::uint64_t skip_to = skip_to_.load(std::memory_order_acquire);
    const std::uint64_t written = written_.load(std::memory_order_acquire);
    const std::size_t taken =
        copy(position, skip_to > position ? std::min(skip_to, written) : written, out);
    read_.store(position, std::memory_order_release);
    return taken;
}

void VoiceQueue::skip(std::uint64_t samples) noexcept {
    const std::uint64_t before = read_.load(std::memory_order_relaxed);
    const std::uint64_t skip_to = skip_to_.load(std::memory_order_acquire);
    const std::uint64_t written = written_.load(std::memory_order_acquire);
    const std::uint64_t from = skip_to > before ? std::min(skip_to, written) : before;
    const std::uint64_t position = from + std::min(samples, written - from);
    if (position == before) return;
    hold_chunk_of(position);
    read_.store(position, std::memory_order_release);
}

std::size_t VoiceQueue::copy(std::uint64_t& position,
                             std::uint64_t end,
                             std::span<std::int16_t> out) noexcept {
    std::size_t taken = 0;
    for (;;) {
        hold_chunk_of(position);
        if (taken == out.size() || position >= end) return taken;
        const std::size_t offset = static_cast<std::size_t>(position - reading_at_);
        const std::size_t n =
            std::min<std::uint64_t>({out.size() - taken, kChunkSamples - offset, end - position});
        std::copy_n(reading_->samples.begin() + static_cast<std::ptrdiff_t>(offset),
                    n,
                    out.begin() + static_cast<std::ptrdiff_t>(taken));
        taken += n;
        position += n;
    }
}

// Goes on to the chunk of `position`, or to the last one while that is not made yet; also after a
// skip with nothing to read, since the writer gets back only what lies before the chunk held.
void VoiceQueue::hold_chunk_of(std::uint64_t position) noexcept {
    if (!reading_) reading_ = first_.load(std::memory_order_acquire);
    if (!reading_ || position < reading_at_ + kChunkSamples) return;
    while (position >= reading_at_ + kChunkSamples) {
        VoiceChunk* const next = reading_->next.load(std::memory_order_acquire);
        if (!next) break;
        reading_ = next;
        reading_at_ += kChunkSamples;
    }
    reading_chunk_at_.store(reading_at_, std::memory_order_release);
}

// The reader says which chunk it holds; older ones are ours again. Its position alone would not do:
// at a border, or after a skip with nothing to read yet, it still holds an earlier chunk to follow
// its `next`.
void VoiceQueue::reclaim() noexcept {
    const std::uint64_t held = reading_chunk_at_.load(std::memory_order_acquire);
    while (first_chunk_at_ < held) {
        pool_->give_back(chunks_.front());
        chunks_.pop_front();
        first_chunk_at_ += kChunkSamples;
    }
}

}  // namespace offhook::model
