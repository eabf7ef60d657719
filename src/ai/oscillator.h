#pragma once

#include <cstdint>
#include <span>

namespace offhook::ai {

/// A sine whose phase goes on from one call to the next; a few ns a sample (rotation, no sin()).
class Oscillator {
public:
    /// @param level_dbov RMS against full scale (0 dBov = 32768); a sine clips above -3.01
    Oscillator(std::uint32_t sample_rate_hz, double frequency_hz, double level_dbov) noexcept;

    void set_frequency(double frequency_hz) noexcept;
    void fill(std::span<std::int16_t> pcm) noexcept;

private:
    double sample_rate_hz_;
    double amplitude_;
    double step_re_ = 1;
    double step_im_ = 0;
    double re_ = 1;
    double im_ = 0;
};

}  // namespace offhook::ai
