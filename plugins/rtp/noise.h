#pragma once

#include <cstdint>
#include <span>

namespace offhook::rtp {

/// Comfort noise at about -65 dBov (RMS 18 of 32767), the level a quiet office has; white with a
/// slight low-pass. Cheap: a walk through one shared table from a random start. Never digital
/// silence, so no far end takes the line for dead.
/// @thread one
class ComfortNoise {
public:
    explicit ComfortNoise(std::uint32_t seed) noexcept;
    void fill(std::span<std::int16_t> pcm) noexcept;

private:
    std::uint32_t state_;
};

}  // namespace offhook::rtp
