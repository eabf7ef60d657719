#include "model/wav.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numbers>
#include <optional>
#include <utility>

namespace offhook::model {
namespace {

constexpr std::size_t kMaxFileBytes = 64u << 20;
constexpr std::uint32_t kMinRateHz = 4'000;
constexpr std::uint32_t kMaxRateHz = 192'000;
constexpr std::uint16_t kFormatPcm = 1;
constexpr std::uint16_t kFormatExtensible = 0xFFFE;

std::uint32_t u32(std::span<const std::uint8_t> b, std::size_t at) {
    return static_cast<std::uint32_t>(b[at]) | static_cast<std::uint32_t>(b[at + 1]) << 8 |
           static_cast<std::uint32_t>(b[at + 2]) << 16 |
           static_cast<std::uint32_t>(b[at + 3]) << 24;
}

std::uint16_t u16(std::span<const std::uint8_t> b, std::size_t at) {
    return static_cast<std::uint16_t>(b[at] | b[at + 1] << 8);
}

bool is_tag(std::span<const std::uint8_t> b, std::size_t at, const char* tag) {
    return std::memcmp(b.data() + at, tag, 4) == 0;
}

struct Format {
    std::uint16_t channels = 0;
    std::uint32_t rate_hz = 0;
};

base::Result<Format> read_format(std::span<const std::uint8_t> chunk, const std::string& path) {
    if (chunk.size() < 16)
        return base::fail(base::ErrorCode::Malformed, path + ": the fmt chunk is too short");
    const std::uint16_t tag = u16(chunk, 0);
    const Format format{u16(chunk, 2), u32(chunk, 4)};
    const std::uint16_t bits = u16(chunk, 14);
    if ((tag != kFormatPcm && tag != kFormatExtensible) || bits != 16 || format.channels < 1 ||
        format.channels > 2 || format.rate_hz < kMinRateHz || format.rate_hz > kMaxRateHz) {
        return base::fail(
            base::ErrorCode::Unsupported,
            path + ": only 16-bit PCM, mono or stereo, 4-192 kHz is read; convert it with `sox " +
                path + " -b 16 -c 1 -r 8000 out.wav`");
    }
    return format;
}

void put_u32(std::ostream& out, std::uint32_t v) {
    const std::array<char, 4> bytes{static_cast<char>(v & 0xFF),
                                    static_cast<char>(v >> 8 & 0xFF),
                                    static_cast<char>(v >> 16 & 0xFF),
                                    static_cast<char>(v >> 24 & 0xFF)};
    out.write(bytes.data(), bytes.size());
}

void put_u16(std::ostream& out, std::uint16_t v) {
    const std::array<char, 2> bytes{static_cast<char>(v & 0xFF), static_cast<char>(v >> 8 & 0xFF)};
    out.write(bytes.data(), bytes.size());
}

}  // namespace

std::vector<std::int16_t> resample(std::span<const std::int16_t> pcm,
                                   std::uint32_t from_hz,
                                   std::uint32_t to_hz) {
    if (from_hz == to_hz) return {pcm.begin(), pcm.end()};
    constexpr double kHalfWidthZeros = 16;
    const double step = static_cast<double>(from_hz) / to_hz;
    const double cutoff = std::min(1.0, 1.0 / step) * 0.95;  // of the input's Nyquist
    const double half_width = kHalfWidthZeros / cutoff;
    const auto out_samples = static_cast<std::size_t>(static_cast<double>(pcm.size()) / step);
    std::vector<std::int16_t> out(std::max<std::size_t>(out_samples, 1));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double centre = static_cast<double>(i) * step;
        const auto first =
            static_cast<std::ptrdiff_t>(std::max(0.0, std::ceil(centre - half_width)));
        const auto last = std::min(static_cast<std::ptrdiff_t>(pcm.size()) - 1,
                                   static_cast<std::ptrdiff_t>(std::floor(centre + half_width)));
        double sum = 0;
        for (std::ptrdiff_t k = first; k <= last; ++k) {
            const double x = static_cast<double>(k) - centre;
            const double phase = std::numbers::pi * x * cutoff;
            const double sinc = std::abs(phase) < 1e-9 ? 1.0 : std::sin(phase) / phase;
            const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * x / half_width);
            sum += pcm[static_cast<std::size_t>(k)] * sinc * window * cutoff;
        }
        out[i] = static_cast<std::int16_t>(std::lround(std::clamp(sum, -32768.0, 32767.0)));
    }
    return out;
}

base::Result<WavSound> read_wav(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return base::fail_errno("cannot read " + path, errno);
    const auto size = static_cast<std::streamoff>(file.tellg());
    if (size < 0) return base::fail(base::ErrorCode::Io, path + " is not a regular file");
    if (size > static_cast<std::streamoff>(kMaxFileBytes)) {
        return base::fail(base::ErrorCode::Unsupported, path + " is larger than 64 MiB");
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(bytes.data()), size);
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    const std::span<const std::uint8_t> all(bytes);
    if (all.size() < 12 || !is_tag(all, 0, "RIFF") || !is_tag(all, 8, "WAVE")) {
        return base::fail(base::ErrorCode::Malformed, path + " is not a RIFF/WAVE file");
    }
    std::optional<Format> format;
    for (std::size_t at = 12; at + 8 <= all.size();) {
        // A recorder that was killed leaves a length beyond the end: take what is there.
        const std::size_t length = std::min<std::size_t>(u32(all, at + 4), all.size() - at - 8);
        const auto chunk = all.subspan(at + 8, length);
        if (is_tag(all, at, "fmt ")) {
            auto read = read_format(chunk, path);
            if (!read) return tl::unexpected(read.error());
            format = *read;
        } else if (is_tag(all, at, "data") && format) {
            const std::size_t frames = length / (2u * format->channels);
            if (frames == 0)
                return base::fail(base::ErrorCode::Malformed, path + " holds no sound");
            std::vector<std::int16_t> mono(frames);
            for (std::size_t i = 0; i < frames; ++i) {
                std::int32_t sum = 0;
                for (std::size_t c = 0; c < format->channels; ++c) {
                    sum += static_cast<std::int16_t>(u16(chunk, 2 * (i * format->channels + c)));
                }
                mono[i] = static_cast<std::int16_t>(sum / format->channels);
            }
            return WavSound{format->rate_hz, std::move(mono)};
        }
        at += 8 + length + (length & 1);
    }
    return base::fail(base::ErrorCode::Malformed, path + " has no fmt and data chunk");
}

base::Result<std::vector<std::int16_t>> read_wav(const std::string& path,
                                                 std::uint32_t sample_rate_hz) {
    auto wav = read_wav(path);
    if (!wav) return tl::unexpected(wav.error());
    return resample(wav->pcm, wav->sample_rate_hz, sample_rate_hz);
}

base::Result<void> write_wav(const std::string& path,
                             std::span<const std::int16_t> pcm,
                             std::uint32_t sample_rate_hz) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    const auto data_bytes = static_cast<std::uint32_t>(pcm.size() * 2);
    out.write("RIFF", 4);
    put_u32(out, 36 + data_bytes);
    out.write("WAVEfmt ", 8);
    put_u32(out, 16);
    put_u16(out, kFormatPcm);
    put_u16(out, 1);
    put_u32(out, sample_rate_hz);
    put_u32(out, sample_rate_hz * 2);
    put_u16(out, 2);
    put_u16(out, 16);
    out.write("data", 4);
    put_u32(out, data_bytes);
    for (const std::int16_t sample : pcm) put_u16(out, static_cast<std::uint16_t>(sample));
    out.flush();
    if (!out) return base::fail_errno("cannot write " + path, errno);
    return {};
}

}  // namespace offhook::model
