#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace offhook::model {

/// A piece of a VoiceQueue.
struct VoiceChunk {
    static constexpr std::size_t kSamples = 3200;
    std::array<std::int16_t, kSamples> samples;
    std::atomic<VoiceChunk*> next{nullptr};
};

/// Where the chunks of all calls' VoiceQueues come from and go back to, so that what bots have sent
/// ahead is bounded for the process and not for each call only.
/// @thread any but real-time ones: writers of queues, and whoever ends them
class VoicePool {
public:
    /// Of the one that calls share: four and a half hours at 8 kHz.
    static constexpr std::size_t kSharedBytes = std::size_t{256} << 20U;

    explicit VoicePool(std::size_t most_bytes) noexcept
        : most_chunks_(most_bytes / sizeof(VoiceChunk)) {}
    ~VoicePool();
    VoicePool(const VoicePool&) = delete;
    VoicePool& operator=(const VoicePool&) = delete;

    [[nodiscard]] static const std::shared_ptr<VoicePool>& shared();

    /// Its samples are what they were, its `next` is null. @return null: all are in use
    [[nodiscard]] VoiceChunk* take();
    void give_back(VoiceChunk* chunk) noexcept;

    /// In use. @thread any
    [[nodiscard]] std::size_t used_bytes() const noexcept {
        return used_.load(std::memory_order_relaxed) * sizeof(VoiceChunk);
    }

private:
    static constexpr std::size_t kMostSpare = 512;  ///< kept for the next; 3.3 MB

    const std::size_t most_chunks_;
    std::atomic<std::size_t> used_{0};  ///< written under the mutex
    std::mutex mutex_;                  // guards the two below
    VoiceChunk* spare_ = nullptr;       ///< linked by `next`
    std::size_t spares_ = 0;
};

}  // namespace offhook::model
