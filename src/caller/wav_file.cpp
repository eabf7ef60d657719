#include "caller/wav_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>
#include <optional>

namespace offhook::caller {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;
constexpr std::uint16_t kFormatPcm = 1;
constexpr std::uint16_t kFormatExtensible = 0xFFFE;
constexpr std::size_t kHeaderBytes = 44;

std::uint32_t little(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | bytes[i];
    return value;
}

bool has_tag(std::span<const std::uint8_t> image, std::size_t at, const char* tag) {
    return image.size() >= at + 4 && std::memcmp(image.data() + at, tag, 4) == 0;
}

struct Layout {
    std::uint16_t channels = 0;
    std::uint16_t bits = 0;
    std::uint32_t sample_rate_hz = 0;
};

base::Result<Layout> parse_format(std::span<const std::uint8_t> chunk) {
    if (chunk.size() < 16)
        return base::fail(base::ErrorCode::Malformed, "the WAV's fmt chunk is cut short");
    auto format = static_cast<std::uint16_t>(little(chunk.subspan(0, 2)));
    // The real format of an extensible header is the start of its sub-format GUID.
    if (format == kFormatExtensible && chunk.size() >= 26) {
        format = static_cast<std::uint16_t>(little(chunk.subspan(24, 2)));
    }
    const Layout layout{static_cast<std::uint16_t>(little(chunk.subspan(2, 2))),
                        static_cast<std::uint16_t>(little(chunk.subspan(14, 2))),
                        little(chunk.subspan(4, 4))};
    if (format != kFormatPcm || (layout.bits != 8 && layout.bits != 16)) {
        return base::fail(base::ErrorCode::Unsupported,
                          "the WAV is not PCM of 8 or 16 bits (format " + std::to_string(format) +
                              ", " + std::to_string(layout.bits) +
                              " bits); convert it: sox in.wav -b 16 -e signed out.wav");
    }
    if (layout.channels < 1 || layout.channels > 8) {
        return base::fail(
            base::ErrorCode::Unsupported,
            "the WAV has " + std::to_string(layout.channels) + " channels; 1 to 8 are understood");
    }
    if (layout.sample_rate_hz < 4000 || layout.sample_rate_hz > 192000) {
        return base::fail(base::ErrorCode::Unsupported,
                          "the WAV's sample rate is " + std::to_string(layout.sample_rate_hz) +
                              " Hz; 4000 to 192000 are understood");
    }
    return layout;
}

std::vector<std::int16_t> to_mono(std::span<const std::uint8_t> data, const Layout& layout) {
    const std::size_t sample_bytes = layout.bits / 8U;
    const std::size_t frame_bytes = sample_bytes * layout.channels;
    std::vector<std::int16_t> pcm(data.size() / frame_bytes);
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        int sum = 0;
        for (std::size_t channel = 0; channel < layout.channels; ++channel) {
            const std::size_t at = i * frame_bytes + channel * sample_bytes;
            sum += layout.bits == 8 ? (data[at] - 128) * 256
                                    : static_cast<std::int16_t>(little(data.subspan(at, 2)));
        }
        pcm[i] = static_cast<std::int16_t>(sum / layout.channels);
    }
    return pcm;
}

double windowed_sinc(double x, double cutoff, double half_width) {
    if (std::abs(x) >= half_width) return 0;
    const double window = 0.5 * (1 + std::cos(std::numbers::pi * x / half_width));
    const double angle = std::numbers::pi * cutoff * x;
    return cutoff * window * (std::abs(angle) < 1e-9 ? 1.0 : std::sin(angle) / angle);
}

void put_little(std::span<std::uint8_t> out, std::uint32_t value) {
    for (std::uint8_t& byte : out) {
        byte = static_cast<std::uint8_t>(value & 0xFFU);
        value >>= 8;
    }
}

}  // namespace

base::Result<Sound> parse_wav(std::span<const std::uint8_t> image) {
    if (!has_tag(image, 0, "RIFF") || !has_tag(image, 8, "WAVE")) {
        return base::fail(base::ErrorCode::Malformed, "not a WAV file (no RIFF/WAVE header)");
    }
    std::optional<Layout> layout;
    std::size_t at = 12;
    while (image.size() - at >= 8) {
        const std::size_t size = little(image.subspan(at + 4, 4));
        const std::size_t start = at + 8;
        const std::size_t have = std::min(size, image.size() - start);
        if (has_tag(image, at, "fmt ")) {
            auto parsed = parse_format(image.subspan(start, have));
            if (!parsed) return tl::unexpected(parsed.error());
            layout = *parsed;
        } else if (has_tag(image, at, "data")) {
            if (!layout)
                return base::fail(base::ErrorCode::Malformed,
                                  "the WAV has data before its fmt chunk");
            Sound sound{layout->sample_rate_hz, to_mono(image.subspan(start, have), *layout)};
            if (sound.pcm.empty())
                return base::fail(base::ErrorCode::Malformed, "the WAV holds no sound");
            return sound;
        }
        // Chunks are padded to even sizes.
        at = start + have;
        if (size % 2 != 0 && at < image.size()) ++at;
    }
    return base::fail(base::ErrorCode::Malformed, "the WAV has no data chunk");
}

base::Result<Sound> read_wav(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                               std::fclose);
    if (!file) return base::fail_errno("cannot open " + path, errno);
    std::vector<std::uint8_t> image;
    std::array<std::uint8_t, 65536> block;
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        image.insert(image.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
        if (image.size() > kMaxFileBytes) {
            return base::fail(base::ErrorCode::LimitReached,
                              path + " is larger than 256 MiB; cut it first");
        }
    }
    if (std::ferror(file.get()) != 0) return base::fail_errno("cannot read " + path, errno);
    auto sound = parse_wav(image);
    if (!sound) return base::fail(sound.error().code, path + ": " + sound.error().message);
    return sound;
}

Sound resample(const Sound& sound, std::uint32_t sample_rate_hz) {
    if (sound.sample_rate_hz == sample_rate_hz) return sound;
    const double step = static_cast<double>(sound.sample_rate_hz) / sample_rate_hz;
    // Relative to the input's half rate; a little below the limit, because the window's edge is not
    // steep.
    const double cutoff = 0.95 * std::min(1.0, 1.0 / step);
    const double half_width = 16.0 / cutoff;
    const auto length = static_cast<std::ptrdiff_t>(sound.pcm.size());
    Sound result{sample_rate_hz, {}};
    result.pcm.resize(static_cast<std::size_t>(static_cast<double>(length) / step));
    for (std::size_t i = 0; i < result.pcm.size(); ++i) {
        const double centre = static_cast<double>(i) * step;
        const auto first = std::max<std::ptrdiff_t>(
            0, static_cast<std::ptrdiff_t>(std::ceil(centre - half_width)));
        const auto last =
            std::min<std::ptrdiff_t>(length - 1, static_cast<std::ptrdiff_t>(centre + half_width));
        double sum = 0;
        for (std::ptrdiff_t k = first; k <= last; ++k) {
            sum += sound.pcm[static_cast<std::size_t>(k)] *
                   windowed_sinc(static_cast<double>(k) - centre, cutoff, half_width);
        }
        result.pcm[i] = static_cast<std::int16_t>(std::clamp(std::lround(sum), -32768L, 32767L));
    }
    return result;
}

base::Result<WavWriter> WavWriter::create(const std::string& path, std::uint32_t sample_rate_hz) {
    File file(std::fopen(path.c_str(), "wb"), std::fclose);
    if (!file) return base::fail_errno("cannot write " + path, errno);
    WavWriter writer(std::move(file), sample_rate_hz);
    if (!writer.write_header()) return base::fail_errno("cannot write " + path, errno);
    return writer;
}

bool WavWriter::write_header() {
    std::array<std::uint8_t, kHeaderBytes> header{};
    const std::span<std::uint8_t> out(header);
    // Sizes are 32 bits wide; readers take the file's end when they are at their limit.
    const auto data_bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(samples_ * 2, 0xFFFFFFF0U - kHeaderBytes));
    std::memcpy(out.data(), "RIFF", 4);
    put_little(out.subspan(4, 4), data_bytes + static_cast<std::uint32_t>(kHeaderBytes) - 8);
    std::memcpy(out.data() + 8, "WAVEfmt ", 8);
    put_little(out.subspan(16, 4), 16);
    put_little(out.subspan(20, 2), kFormatPcm);
    put_little(out.subspan(22, 2), 1);
    put_little(out.subspan(24, 4), sample_rate_hz_);
    put_little(out.subspan(28, 4), sample_rate_hz_ * 2);
    put_little(out.subspan(32, 2), 2);
    put_little(out.subspan(34, 2), 16);
    std::memcpy(out.data() + 36, "data", 4);
    put_little(out.subspan(40, 4), data_bytes);
    return std::fwrite(header.data(), 1, header.size(), file_.get()) == header.size();
}

void WavWriter::write(std::span<const std::int16_t> pcm) {
    if (has_failed_) return;
    std::array<std::uint8_t, 2> bytes{};
    for (const std::int16_t sample : pcm) {
        put_little(bytes, static_cast<std::uint16_t>(sample));
        has_failed_ =
            has_failed_ || std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size();
    }
    samples_ += pcm.size();
}

void WavWriter::silence(std::uint64_t samples) {
    constexpr std::array<std::int16_t, 320> kZeros{};
    while (samples > 0) {
        const std::size_t some =
            static_cast<std::size_t>(std::min<std::uint64_t>(samples, kZeros.size()));
        write(std::span(kZeros).first(some));
        samples -= some;
    }
}

base::Result<void> WavWriter::close() {
    if (!file_) return {};
    const bool ok = !has_failed_ && std::fseek(file_.get(), 0, SEEK_SET) == 0 && write_header();
    const bool closed = std::fclose(file_.release()) == 0;
    if (!ok || !closed) return base::fail_errno("the recording is incomplete", errno);
    return {};
}

}  // namespace offhook::caller
