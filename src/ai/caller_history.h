#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace offhook::ai {

/// The last of what the caller said, at the bot's rate and in the bot's frames: what is sent now,
/// and what a new connection is given first. Positions count samples from the call's first, frames
/// begin at multiples of their length.
///
///     append --> [ 3 s | being written ] --> frame(position), in any order
///
/// Fixed memory: kKeptMs and half a second more, which is as much as comes at once.
class CallerHistory {
public:
    static constexpr int kKeptMs = 3000;
    static constexpr int kSlackMs = 500;

    /// @param frame_ms divides a second
    CallerHistory(std::uint32_t sample_rate_hz, int frame_ms);

    /// Any amount; the oldest go.
    void append(std::span<const std::int16_t> pcm) noexcept;

    /// What is kept, in order.
    [[nodiscard]] std::vector<std::int16_t> kept() const;
    [[nodiscard]] std::size_t frame_samples() const noexcept { return frame_; }
    [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
    /// Where the first whole frame of the last kKeptMs begins.
    [[nodiscard]] std::uint64_t kept_from() const noexcept;
    /// Whether a whole frame begins at `position`, a multiple of the frame's length.
    [[nodiscard]] bool has(std::uint64_t position) const noexcept {
        return position + frame_ <= written_ && position + ring_.size() >= written_;
    }
    /// The frame at a position that it `has`; valid until the next `append`.
    [[nodiscard]] std::span<const std::int16_t> frame(std::uint64_t position) const noexcept {
        return std::span(ring_).subspan(position % ring_.size(), frame_);
    }

private:
    std::size_t frame_;
    std::uint64_t kept_;
    std::vector<std::int16_t> ring_;  ///< whole frames, so that none wraps
    std::uint64_t written_ = 0;
};

}  // namespace offhook::ai
