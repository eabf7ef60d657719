#include "caller/wav_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace offhook::caller {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& out, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void tag(Bytes& out, const char* text) {
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(text[i]));
}

Bytes wav(std::uint16_t format,
          std::uint16_t channels,
          std::uint32_t rate,
          std::uint16_t bits,
          const Bytes& data) {
    Bytes out;
    tag(out, "RIFF");
    put(out, static_cast<std::uint32_t>(36 + data.size()), 4);
    tag(out, "WAVE");
    tag(out, "fmt ");
    put(out, 16, 4);
    put(out, format, 2);
    put(out, channels, 2);
    put(out, rate, 4);
    put(out, rate * channels * bits / 8, 4);
    put(out, channels * bits / 8U, 2);
    put(out, bits, 2);
    tag(out, "data");
    put(out, static_cast<std::uint32_t>(data.size()), 4);
    out.insert(out.end(), data.begin(), data.end());
    return out;
}

double level_at(const Sound& sound, double hz) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0; i < sound.pcm.size(); ++i) {
        const double angle =
            2 * std::numbers::pi * hz * static_cast<double>(i) / sound.sample_rate_hz;
        re += sound.pcm[i] * std::cos(angle);
        im += sound.pcm[i] * std::sin(angle);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(sound.pcm.size());
}

Sound sine(std::uint32_t rate, double hz) {
    Sound sound{rate, std::vector<std::int16_t>(rate)};
    for (std::size_t i = 0; i < sound.pcm.size(); ++i) {
        sound.pcm[i] = static_cast<std::int16_t>(std::lround(
            10000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate)));
    }
    return sound;
}

TEST(WavFileTest, ReadsSixteenBitStereoAsTheMeanOfBoth) {
    Bytes data;
    put(data, 1000, 2);
    put(data, 3000, 2);
    put(data, static_cast<std::uint16_t>(-2000), 2);
    put(data, 0, 2);
    const auto sound = parse_wav(wav(1, 2, 44100, 16, data));
    ASSERT_TRUE(sound);
    EXPECT_EQ(sound->sample_rate_hz, 44100U);
    EXPECT_EQ(sound->pcm, (std::vector<std::int16_t>{2000, -1000}));
}

TEST(WavFileTest, ReadsEightBitAsUnsigned) {
    const auto sound = parse_wav(wav(1, 1, 8000, 8, {128, 255, 0}));
    ASSERT_TRUE(sound);
    EXPECT_EQ(sound->pcm, (std::vector<std::int16_t>{0, 127 * 256, -32768}));
}

TEST(WavFileTest, SkipsOtherChunksAndTakesWhatAStreamedFileHas) {
    Bytes file = wav(1, 1, 8000, 16, {1, 0, 2, 0});
    Bytes list;
    tag(list, "LIST");
    put(list, 3, 4);
    list.insert(list.end(), {'a', 'b', 'c', 0});
    file.insert(file.begin() + 12, list.begin(), list.end());
    std::fill(file.end() - 8, file.end() - 4, std::uint8_t{0xFF});
    const auto sound = parse_wav(file);
    ASSERT_TRUE(sound) << sound.error().text();
    EXPECT_EQ(sound->pcm, (std::vector<std::int16_t>{1, 2}));
}

TEST(WavFileTest, SaysWhatIsWrong) {
    EXPECT_EQ(parse_wav({}).error().code, base::ErrorCode::Malformed);
    EXPECT_EQ(parse_wav(wav(1, 1, 8000, 16, {})).error().message, "the WAV holds no sound");
    EXPECT_NE(parse_wav(wav(3, 1, 8000, 32, {0, 0, 0, 0})).error().message.find("sox"),
              std::string::npos);
    EXPECT_EQ(parse_wav(wav(1, 0, 8000, 16, {0, 0})).error().code, base::ErrorCode::Unsupported);
    EXPECT_EQ(parse_wav(wav(1, 1, 100, 16, {0, 0})).error().code, base::ErrorCode::Unsupported);
    EXPECT_EQ(read_wav("/nonexistent.wav").error().code, base::ErrorCode::Io);
}

TEST(WavFileTest, EveryCutAndEveryFlippedByteIsSurvived) {
    const Bytes file = wav(1, 2, 16000, 16, Bytes(64, 7));
    for (std::size_t size = 0; size < file.size(); ++size) {
        // An exact-size heap block, so that a sanitizer sees one byte too many.
        const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        const auto sound = parse_wav(cut);
        EXPECT_EQ(sound.has_value(), size >= 48) << size;
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
        for (const int value : {0, 1, 0x7F, 0xFF}) {
            Bytes bad = file;
            bad[at] = static_cast<std::uint8_t>(value);
            const auto sound = parse_wav(bad);
            EXPECT_LE(sound ? sound->pcm.size() : 0, 64U);
        }
    }
}

TEST(WavFileTest, ResamplingKeepsLengthAndToneAndDropsWhatWouldFold) {
    const Sound down = resample(sine(44100, 1000), 8000);
    EXPECT_EQ(down.sample_rate_hz, 8000U);
    EXPECT_EQ(down.pcm.size(), 8000U);
    EXPECT_NEAR(level_at(down, 1000), 10000, 200);
    const Sound up = resample(sine(8000, 1000), 16000);
    EXPECT_EQ(up.pcm.size(), 16000U);
    EXPECT_NEAR(level_at(up, 1000), 10000, 200);
    EXPECT_LT(level_at(up, 7000), 100);
    const Sound folded = resample(sine(44100, 6000), 8000);
    EXPECT_LT(level_at(folded, 2000), 100);
}

TEST(WavFileTest, WhatIsWrittenReadsBack) {
    char path[] = "/tmp/offhook-wav-XXXXXX";
    const int fd = mkstemp(path);
    ASSERT_GE(fd, 0);
    ::close(fd);
    auto writer = WavWriter::create(path, 16000);
    ASSERT_TRUE(writer);
    const std::vector<std::int16_t> pcm{1, -2, 32767, -32768};
    writer->write(pcm);
    writer->silence(1000);
    ASSERT_TRUE(writer->close());
    const auto sound = read_wav(path);
    unlink(path);
    ASSERT_TRUE(sound);
    EXPECT_EQ(sound->sample_rate_hz, 16000U);
    ASSERT_EQ(sound->pcm.size(), 1004U);
    EXPECT_TRUE(std::equal(pcm.begin(), pcm.end(), sound->pcm.begin()));
    EXPECT_EQ(sound->pcm.back(), 0);
}

}  // namespace
}  // namespace offhook::caller
