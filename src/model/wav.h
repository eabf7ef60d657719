#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace offhook::model {

/// Mono S16, at least one sample.
struct WavSound {
    std::uint32_t sample_rate_hz = 0;
    std::vector<std::int16_t> pcm;
};

/// Reads a RIFF/WAVE file as the other `read_wav` does, at the rate that it has.
[[nodiscard]] base::Result<WavSound> read_wav(const std::string& path);

/// Reads a RIFF/WAVE file of 16-bit PCM, any rate from 4 to 192 kHz, mono or stereo (averaged), at
/// most 64 MiB, and brings it to `sample_rate_hz` (8000 or 16000) with a windowed-sinc filter.
/// @return mono samples, at least one
/// @errors Io (cannot read), Malformed (not RIFF, lengths that lie), Unsupported (not 16-bit PCM)
/// @thread any but real-time ones
[[nodiscard]] base::Result<std::vector<std::int16_t>> read_wav(const std::string& path,
                                                               std::uint32_t sample_rate_hz);

/// Writes mono 16-bit PCM. @errors Io
[[nodiscard]] base::Result<void> write_wav(const std::string& path,
                                           std::span<const std::int16_t> pcm,
                                           std::uint32_t sample_rate_hz);

/// Changes the rate of a whole recording with a windowed-sinc low-pass; exact copy when the rates
/// are equal.
[[nodiscard]] std::vector<std::int16_t> resample(std::span<const std::int16_t> pcm,
                                                 std::uint32_t from_hz,
                                                 std::uint32_t to_hz);

}  // namespace offhook::model
