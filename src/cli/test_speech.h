#pragma once

#include <cstdint>
#include <vector>

namespace offhook::cli {

/// What a voice detector takes for a sentence: eight syllables of a vowel-like buzz at 120 Hz with
/// the resonances of a mouth, 1.8 s at -16 dBov with edges of silence. Nobody understands it.
/// @return mono S16
[[nodiscard]] std::vector<std::int16_t> test_speech(std::uint32_t sample_rate_hz);

}  // namespace offhook::cli
