#include "model/audio_port.h"

#include <algorithm>
#include <bit>

#include "model/codec.h"

namespace offhook::model {
namespace {

constexpr std::uint32_t kTapMs = 500;
constexpr std::uint32_t kVoiceLimitS = 60;

}  // namespace

TapRing::TapRing(std::size_t capacity_samples)
    : samples_(std::bit_ceil(std::max<std::size_t>(capacity_samples, 1024))),
      mask_(samples_.size() - 1) {}

void TapRing::write(std::span<const std::int16_t> pcm) noexcept {
    std::uint64_t at = written_.load(std::memory_order_relaxed);
    // A reader that copies while we overwrite sees `claimed_` move past its samples and throws the
    // copy away.
    claimed_.store(at + pcm.size(), std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    for (const std::int16_t sample : pcm) {
        samples_[at & mask_].store(sample, std::memory_order_relaxed);
        ++at;
    }
    written_.store(at, std::memory_order_release);
}

std::size_t TapRing::read(std::span<std::int16_t> out) noexcept {
    std::uint64_t at = read_.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint64_t written = written_.load(std::memory_order_acquire);
        if (written - at > samples_.size()) {
            const std::uint64_t oldest = written - samples_.size();
            dropped_.fetch_add(oldest - at, std::memory_order_relaxed);
            at = oldest;
        }
        const std::size_t n =
            static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), written - at));
        for (std::size_t i = 0; i < n; ++i) {
            out[i] = samples_[(at + i) & mask_].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        const std::uint64_t claimed = claimed_.load(std::memory_order_relaxed);
        if (claimed - at <= samples_.size()) {
            read_.store(at + n, std::memory_order_relaxed);
            return n;
        }
        const std::uint64_t oldest = claimed - samples_.size();
        dropped_.fetch_add(oldest - at, std::memory_order_relaxed);
        at = oldest;
    }
}

AudioPort::AudioPort(std::uint32_t rate_hz)
    : sample_rate_hz(rate_hz),
      tap(static_cast<std::size_t>(rate_hz) * kTapMs / 1000),
      voice(static_cast<std::uint64_t>(rate_hz) * kVoiceLimitS),
      ledger(frame_samples(rate_hz)) {}

}  // namespace offhook::model
