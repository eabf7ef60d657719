#pragma once

#include <cstdint>
#include <span>

namespace offhook::rtp {

/// Comfort noise, white with a slight low-pass. Cheap: a walk through one shared table from a
/// random start. At its own level (about -65 dBov, RMS 18 of 32767, a quiet office) never digital
/// silence, so no far end takes the line for dead.
/// @thread one
class ComfortNoise {
public:
    static constexpr int kQuietOfficeDbov = -65;
    /// Louder is no background.
    static constexpr int kLoudestDbov = -20;

    explicit ComfortNoise(std::uint32_t seed) noexcept;
    /// @param dbov RMS, -127 (nothing) to kLoudestDbov; clamped
    void set_level(int dbov) noexcept;
    void fill(std::span<std::int16_t> pcm) noexcept;

private:
    std::uint32_t state_;
    std::int32_t gain_ = 0;  ///< of the table, 16 bits of fraction
};

}  // namespace offhook::rtp
