#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace offhook::caller {

/// Mono sound in memory.
struct Sound {
    std::uint32_t sample_rate_hz = 8000;
    std::vector<std::int16_t> pcm;
};

/// Parses a RIFF/WAVE image: PCM of 8 or 16 bits (also as WAVE_FORMAT_EXTENSIBLE), 1-8 channels
/// mixed to mono, 4000-192000 Hz. A data chunk longer than the file (streamed WAVs) ends with the
/// file.
/// @errors Malformed, Unsupported: say what is wrong and what to do
[[nodiscard]] base::Result<Sound> parse_wav(std::span<const std::uint8_t> image);

/// Reads and parses a file of at most 256 MiB. @errors NotFound, Io, and those of parse_wav
[[nodiscard]] base::Result<Sound> read_wav(const std::string& path);

/// Changes the sample rate: a windowed-sinc low-pass below the lower half rate. Good enough for
/// speech on a phone.
[[nodiscard]] Sound resample(const Sound& sound, std::uint32_t sample_rate_hz);

/// Writes mono 16-bit WAV as it comes; the header is completed on close. Buffered by stdio.
class WavWriter {
public:
    /// @errors Io
    [[nodiscard]] static base::Result<WavWriter> create(const std::string& path,
                                                        std::uint32_t sample_rate_hz);

    /// Appends; once the disk refuses, nothing more is written and `close` says so.
    void write(std::span<const std::int16_t> pcm);
    /// Appends `samples` zeros.
    void silence(std::uint64_t samples);
    /// Writes the sizes into the header. @errors Io
    [[nodiscard]] base::Result<void> close();

private:
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    WavWriter(File file, std::uint32_t sample_rate_hz)
        : file_(std::move(file)), sample_rate_hz_(sample_rate_hz) {}
    [[nodiscard]] bool write_header();

    File file_;
    std::uint32_t sample_rate_hz_;
    std::uint64_t samples_ = 0;
    bool has_failed_ = false;
};

}  // namespace offhook::caller
