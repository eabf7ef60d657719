#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

namespace offhook::model {

/// The last records of something that happens often: one writer that never waits, and readers that
/// look at them meanwhile and take nothing away. A record is a few 64-bit words; its memory is there
/// from the start.
template <std::size_t kWords>
class TraceRing {
public:
    using Record = std::array<std::uint64_t, kWords>;

    /// @param capacity  records; rounded up to a power of two, at least 2
    explicit TraceRing(std::size_t capacity)
        : capacity_(std::bit_ceil(std::max<std::size_t>(capacity, 2))),
          cells_(capacity_ * kWords) {}

    /// @thread the writer
    void write(const Record& record) noexcept {
        const std::uint64_t at = written_.load(std::memory_order_relaxed);
        // A reader that copies while we overwrite sees `claimed_` move past its records and throws
        // the copies away.
        claimed_.store(at + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        std::atomic<std::uint64_t>* cell = &cells_[(at & (capacity_ - 1)) * kWords];
        for (const std::uint64_t word : record) (cell++)->store(word, std::memory_order_relaxed);
        written_.store(at + 1, std::memory_order_release);
    }

    /// Appends those written since `next` (0: from the start) that are still there, oldest first.
    /// @return what to give as `next` the next time @thread any
    std::uint64_t read(std::uint64_t next, std::vector<Record>& out) const {
        const std::uint64_t written = written_.load(std::memory_order_acquire);
        std::uint64_t from = std::max(next, written > capacity_ ? written - capacity_ : 0);
        const std::size_t before = out.size();
        for (std::uint64_t at = from; at < written; ++at) {
            const std::atomic<std::uint64_t>* cell = &cells_[(at & (capacity_ - 1)) * kWords];
            Record& record = out.emplace_back();
            for (std::uint64_t& word : record) word = (cell++)->load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        const std::uint64_t claimed = claimed_.load(std::memory_order_relaxed);
        if (claimed > capacity_ && claimed - capacity_ > from) {
            const std::uint64_t spoiled = std::min(claimed - capacity_, written) - from;
            const auto first = out.begin() + static_cast<std::ptrdiff_t>(before);
            out.erase(first, first + static_cast<std::ptrdiff_t>(spoiled));
        }
        return written;
    }

    [[nodiscard]] std::uint64_t written() const noexcept {
        return written_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return cells_.size() * sizeof cells_[0]; }

private:
    std::size_t capacity_;
    std::vector<std::atomic<std::uint64_t>> cells_;
    std::atomic<std::uint64_t> claimed_{0};  ///< the writer may be overwriting up to here
    std::atomic<std::uint64_t> written_{0};  ///< complete up to here
};

}  // namespace offhook::model
