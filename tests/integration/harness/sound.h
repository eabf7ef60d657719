#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// Mono 16-bit sound.
struct Sound {
    int rate_hz = 8000;
    std::vector<std::int16_t> samples;

    [[nodiscard]] double seconds() const { return double(samples.size()) / rate_hz; }
    /// The part [from_s, to_s), cut to what there is.
    [[nodiscard]] Sound part(double from_s, double to_s) const;
    void append(const Sound& other);
    void append_silence(double length_s);
};

/// A sine wave. `level_dbov` of a full-scale sine is -3.01 (ITU-T G.711: relative to the overload
/// of a square wave).
Sound tone(int rate_hz, double frequency_hz, double length_s, double level_dbov = -15);

/// Speech of espeak-ng at `rate_hz`.
Sound speech(const TempDir& folder, int rate_hz, const std::string& words);

Sound read_wav(const std::filesystem::path& path);
void write_wav(const std::filesystem::path& path, const Sound& sound);
/// G.711 mu-law bytes without a header, the file SIPp streams.
void write_mulaw(const std::filesystem::path& path, const Sound& sound);

/// Level of the part around `frequency_hz` (Goertzel over the whole span), dBov; -127 for nothing.
double tone_level_dbov(std::span<const std::int16_t> samples, int rate_hz, double frequency_hz);
double level_dbov(std::span<const std::int16_t> samples);

/// A stretch in which one of the listed tones stands out.
struct HeardTone {
    double frequency_hz = 0, start_s = 0, length_s = 0;
};

/// The tones heard, in order, cut into windows of 10 ms. A window belongs to the loudest of
/// `frequencies_hz` when that is above `floor_dbov` and carries most of the window's power.
std::vector<HeardTone> heard_tones(const Sound& sound,
                                   const std::vector<double>& frequencies_hz,
                                   double floor_dbov = -40);

/// Where a piece of `sent` is found again.
struct Match {
    double sent_s = 0;      ///< where the piece begins in `sent`
    double delay_s = 0;     ///< how much later it was heard
    double similarity = 0;  ///< normalised cross-correlation, 1 = the same wave
};

/// Cuts `sent` into pieces and finds each in `heard` by cross-correlation, at most `max_delay_s`
/// later. Pieces quieter than -45 dBov are left out, since silence matches everywhere. Rates must
/// be equal.
std::vector<Match> align(const Sound& sent, const Sound& heard, double piece_s, double max_delay_s);

/// Words that pocketsphinx tells apart after a telephone line too (tried at 8 kHz mu-law); `spoken`
/// says each with 0.3 s of silence around it.
inline const std::vector<std::string> kWords{
    "yesterday", "hospital", "computer", "umbrella", "banana", "saturday"};
Sound spoken(const TempDir& folder, int rate_hz);

/// The words of `kWords` heard, in order: each stretch between silences is recognised by itself,
/// since the recogniser drops words of running speech.
std::vector<std::string> heard_words(const TempDir& folder, const Sound& sound);

}  // namespace offhook::harness
