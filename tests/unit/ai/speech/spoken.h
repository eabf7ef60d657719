#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace offhook::ai::testing {

using Samples = std::vector<std::int16_t>;

/// Speech of espeak-ng, `level_dbov` loud where it is spoken (its pauses do not count).
/// @param voice  as `espeak-ng -v`, e.g. "en-us+f3"
Samples spoken(const std::string& text,
               const std::string& voice,
               std::uint32_t rate_hz,
               double level_dbov);

/// What a talkative bot says, some 35 s.
Samples bot_speech(std::uint32_t rate_hz, double level_dbov = -20);
/// Four short sentences of a caller, some 9 s.
Samples caller_speech(std::uint32_t rate_hz, double level_dbov = -24);

/// Where something is said, by 20 ms: louder than 20 dB below the speech's level.
std::vector<bool> where_spoken(const Samples& pcm, std::uint32_t rate_hz);
/// `pcm` after so much of silence.
Samples after_ms(int ms, std::uint32_t rate_hz, const Samples& pcm);

/// Sines of the same level, `on_ms` long with `off_ms` between; 0: all the time.
struct Tones {
    std::vector<double> hz;
    double level_dbov = -20;
    int on_ms = 0, off_ms = 0;
};
Samples make(const Tones& tones, std::uint32_t rate_hz, double seconds);

/// @param level_dbov  RMS
Samples white_noise(std::size_t n, double level_dbov, unsigned seed);
/// A fan: noise that falls by 6 dB an octave above 200 Hz, and its blades' 120 Hz.
Samples fan_noise(std::size_t n, std::uint32_t rate_hz, double level_dbov, unsigned seed);

void scale_to(Samples& pcm, double from_dbov, double to_dbov);
double level_dbov(const Samples& pcm);
/// Adds `what` to `pcm` from sample `at` on, with `gain_db`, without overflow.
void mix(Samples& pcm, const Samples& what, std::size_t at, double gain_db = 0);

}  // namespace offhook::ai::testing
