#pragma once

#include <cstdint>

namespace offhook::srtp {

/// Which of the last 64 packet numbers have been seen (RFC 3711 §3.3.2).
class ReplayWindow {
public:
    static constexpr std::uint64_t kPackets = 64;

    [[nodiscard]] bool any() const noexcept { return seen_ != 0; }
    [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
    /// Whether `index` is neither seen nor too old to know.
    [[nodiscard]] bool is_fresh(std::uint64_t index) const noexcept {
        if (!any() || index > highest_) return true;
        const std::uint64_t age = highest_ - index;
        return age < kPackets && (seen_ >> age & 1) == 0;
    }
    /// Only for packets that proved genuine.
    void note(std::uint64_t index) noexcept {
        if (!any()) {
            highest_ = index;
            seen_ = 1;
        } else if (index > highest_) {
            const std::uint64_t step = index - highest_;
            seen_ = step < kPackets ? seen_ << step | 1 : 1;
            highest_ = index;
        } else if (highest_ - index < kPackets) {
            seen_ |= std::uint64_t{1} << (highest_ - index);
        }
    }

private:
    std::uint64_t highest_ = 0;
    std::uint64_t seen_ = 0;  ///< bit i: highest_ - i
};

}  // namespace offhook::srtp
