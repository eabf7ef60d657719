#include "cli/test_speech.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace offhook::cli {
namespace {

constexpr double kPitchHz = 120;
constexpr double kSyllableS = 0.2;
constexpr double kSpeechS = 1.6;
constexpr double kEdgeS = 0.1;
constexpr double kPeak = 16000;

struct Vowel {
    std::array<double, 3> formants_hz;
};
constexpr std::array kVowels{Vowel{{730, 1090, 2440}},
                             Vowel{{530, 1840, 2480}},
                             Vowel{{270, 2290, 3010}},
                             Vowel{{570, 840, 2410}}};

/// How much of a harmonic passes the mouth.
double gain(const Vowel& vowel, double hz) {
    double sum = 0;
    for (const double formant : vowel.formants_hz) {
        const double off = (hz - formant) / 90;
        sum += 1 / (1 + off * off);
    }
    return sum / (1 + hz / 1000);
}

}  // namespace

std::vector<std::int16_t> test_speech(std::uint32_t sample_rate_hz) {
    const double rate = sample_rate_hz;
    const auto edge = static_cast<std::size_t>(kEdgeS * rate);
    std::vector<double> sound(static_cast<std::size_t>(kSpeechS * rate));
    constexpr double kTwoPi = 2 * std::numbers::pi;
    for (std::size_t i = 0; i < sound.size(); ++i) {
        const double t = static_cast<double>(i) / rate;
        const auto syllable = static_cast<std::size_t>(t / kSyllableS);
        const Vowel& vowel = kVowels[syllable % kVowels.size()];
        const double phase = std::fmod(t, kSyllableS) / kSyllableS;
        const double loudness = std::pow(std::sin(std::numbers::pi * phase), 0.5);
        for (double hz = kPitchHz; hz < 3400; hz += kPitchHz)
            sound[i] += loudness * gain(vowel, hz) * std::sin(kTwoPi * hz * t);
    }
    double peak = 0;
    for (const double value : sound) peak = std::max(peak, std::abs(value));
    std::vector<std::int16_t> pcm(edge * 2 + sound.size());
    for (std::size_t i = 0; i < sound.size(); ++i)
        pcm[edge + i] = static_cast<std::int16_t>(sound[i] / peak * kPeak);
    return pcm;
}

}  // namespace offhook::cli
