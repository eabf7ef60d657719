#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace offhook::model {

/// How loud our sound was when it left, frame by frame, for whoever has to know our echo: the last
/// five seconds. One writer (the media worker), any reader; a reader that looks while an entry is
/// written sees the old or the new one.
class LevelRing {
public:
    static constexpr std::size_t kFrames = 256;
    struct Level {
        std::int64_t left_ms = 0;    ///< CLOCK_MONOTONIC, when the packet left; 0: none yet
        std::int32_t level_cdb = 0;  ///< RMS of the frame, 1/100 dBov, -12700: digital silence
    };

    /// @thread writer
    void write(std::int64_t left_ns, std::int32_t level_cdb) noexcept {
        const std::uint64_t n = written_.load(std::memory_order_relaxed);
        const auto level = static_cast<std::uint64_t>(static_cast<std::uint16_t>(level_cdb));
        cells_[n % kFrames].store(static_cast<std::uint64_t>(left_ns / 1'000'000) << 16U | level,
                                  std::memory_order_relaxed);
        written_.store(n + 1, std::memory_order_release);
    }
    /// How many were written so far.
    [[nodiscard]] std::uint64_t written() const noexcept {
        return written_.load(std::memory_order_acquire);
    }
    /// The one with this number, from 0; only the last kFrames are here.
    [[nodiscard]] Level at(std::uint64_t number) const noexcept {
        const std::uint64_t cell = cells_[number % kFrames].load(std::memory_order_relaxed);
        return {static_cast<std::int64_t>(cell >> 16U), static_cast<std::int16_t>(cell & 0xffffU)};
    }

private:
    std::array<std::atomic<std::uint64_t>, kFrames> cells_{};
    std::atomic<std::uint64_t> written_{0};
};

}  // namespace offhook::model
