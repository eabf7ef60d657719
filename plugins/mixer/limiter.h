#pragma once

#include <cstdint>
#include <span>

namespace offhook::mixer {

/// Brings a sum of voices into 16 bits. Up to -0.8 dBov it does nothing; above, the gain falls
/// before the peak where the frame shows it coming, and rises by a tenth of what is missing every
/// 5 ms. A frame that begins too loud is bent softly for its first 5 ms. Nothing wraps or clicks.
/// @thread one
class Limiter {
public:
    static constexpr std::size_t kFrameSamples = 320;

    /// @param sum any level @param out as many samples
    void limit(std::span<const float, kFrameSamples> sum,
               std::span<std::int16_t, kFrameSamples> out) noexcept;
    /// Nothing was heard for a frame.
    void rest() noexcept { gain_ = 1; }

private:
    float gain_ = 1;  ///< at the end of the frame before
};

}  // namespace offhook::mixer
