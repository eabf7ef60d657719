#include "rtp/codec.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "rtp/noise.h"
#include "sound.h"

namespace offhook::rtp {
namespace {

using model::Codec;
using Samples = std::vector<std::int16_t>;

constexpr std::array kAll{Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus};

class CodecOf : public testing::TestWithParam<Codec> {
protected:
    std::unique_ptr<Encoder> encoder_ = make_encoder(GetParam());
    std::unique_ptr<Decoder> decoder_ = make_decoder(GetParam());
    std::uint32_t rate_hz_ = model::facts_of(GetParam()).sample_rate_hz;
    std::size_t frame_ = model::frame_samples(rate_hz_);
    std::array<std::uint8_t, model::kMaxPayloadBytes> payload_{};
    std::array<std::int16_t, model::kMaxPacketSamples> decoded_{};

    std::span<const std::uint8_t> encode(std::span<const std::int16_t> frame) {
        return std::span(payload_).first(encoder_->encode(frame, payload_));
    }
    std::size_t decode(std::span<const std::uint8_t> payload) {
        return decoder_->decode(payload, decoded_);
    }

    /// Through both, whole frames.
    Samples through(const Samples& in) {
        Samples out;
        for (std::size_t at = 0; at + frame_ <= in.size(); at += frame_) {
            const std::size_t n = decode(encode(std::span(in).subspan(at, frame_)));
            EXPECT_EQ(n, frame_);
            out.insert(
                out.end(), decoded_.begin(), decoded_.begin() + static_cast<std::ptrdiff_t>(n));
        }
        return out;
    }
};

TEST_P(CodecOf, RatesAreTheTables) {
    EXPECT_EQ(encoder_->sample_rate_hz(), rate_hz_);
    EXPECT_EQ(decoder_->sample_rate_hz(), rate_hz_);
}

TEST_P(CodecOf, ToneKeepsFrequencyAndLevel) {
    for (const double hz : {300.0, 1000.0, 3000.0}) {
        const Samples out = through(test::tone(hz, 8000, rate_hz_, rate_hz_));
        const std::span<const std::int16_t> settled = std::span(out).subspan(rate_hz_ / 2);
        const double there = test::amplitude_at(hz, rate_hz_, settled);
        EXPECT_NEAR(20 * std::log10(there / 8000), 0, 1.0) << hz;
        // What is not the tone is at least 20 dB below it.
        const double all = test::rms(settled);
        const double rest = std::sqrt(std::max(0.0, all * all - there * there / 2));
        EXPECT_LT(rest, all / 10) << hz;
    }
}

TEST_P(CodecOf, SilenceIsAPacketAndStaysQuiet) {
    const Samples silence(rate_hz_, 0);
    for (std::size_t at = 0; at < silence.size(); at += frame_) {
        ASSERT_GT(encode(std::span(silence).subspan(at, frame_)).size(), 0U);
    }
    EXPECT_LT(test::rms(through(silence)), 20);
}

TEST_P(CodecOf, ComfortNoiseStaysAtItsLevel) {
    Samples noise(rate_hz_);
    ComfortNoise source(1);
    for (std::size_t at = 0; at < noise.size(); at += frame_)
        source.fill(std::span(noise).subspan(at, frame_));
    const double level_dbov = 20 * std::log10(test::rms(through(noise)) / 32768);
    EXPECT_NEAR(level_dbov, -65, 4);
}

TEST_P(CodecOf, GarbageIsBoundedAndNeverTouchesMemory) {
    std::mt19937 random(99);
    for (int round = 0; round < 5'000; ++round) {
        std::vector<std::uint8_t> payload(random() % 1501);
        for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
        ASSERT_LE(decode(payload), decoded_.size());
        ASSERT_LE(decoder_->decode(payload, std::span(decoded_).first(160)), 160U);
    }
    EXPECT_EQ(decode({}), 0U);
}

TEST_P(CodecOf, EveryPtimeDecodes) {
    const Samples in = test::tone(440, 8000, rate_hz_, rate_hz_);
    if (GetParam() == Codec::Opus) return;  // its frames carry their own length
    for (const std::size_t ms : {10U, 20U, 30U, 40U, 60U, 120U}) {
        std::vector<std::uint8_t> payload;
        const std::size_t bytes = 8 * ms;
        for (std::size_t at = 0; payload.size() < bytes; at += frame_) {
            const auto part = encode(std::span(in).subspan(at, frame_));
            payload.insert(payload.end(), part.begin(), part.end());
        }
        payload.resize(bytes);
        EXPECT_EQ(decode(payload), rate_hz_ / 1000 * ms);
    }
}

INSTANTIATE_TEST_SUITE_P(All, CodecOf, testing::ValuesIn(kAll), [](const auto& each) {
    return std::string(model::facts_of(each.param).name);
});

// G.711 by the book, one bit after the other, to judge the fast coder by.
std::uint8_t slow_ulaw(int sample) {
    const int sign = sample < 0 ? 0x80 : 0;
    int magnitude = std::min(std::abs(sample), 32635) + 132;
    int segment = 7;
    for (int bit = 0x4000; segment > 0 && (magnitude & bit) == 0; bit >>= 1) --segment;
    magnitude = (magnitude >> (segment + 3)) & 0x0F;
    return static_cast<std::uint8_t>(~(sign | segment << 4 | magnitude));
}
std::uint8_t slow_alaw(int sample) {
    const int sign = sample < 0 ? 0 : 0x80;
    int magnitude = (sample < 0 ? -sample - 1 : sample) >> 4;
    if (magnitude > 15) {
        int segment = 1;
        for (; magnitude > 31; magnitude >>= 1) ++segment;
        magnitude += segment * 16 - 16;
    }
    return static_cast<std::uint8_t>((sign | magnitude) ^ 0x55);
}

class G711 : public testing::TestWithParam<Codec> {};

TEST_P(G711, EverySampleAsByTheBookAndNearItself) {
    std::vector<std::int16_t> all(65536);
    std::iota(all.begin(), all.end(), std::int16_t{-32768});
    std::vector<std::uint8_t> codes(all.size());
    ASSERT_EQ(make_encoder(GetParam())->encode(all, codes), codes.size());
    std::array<std::int16_t, model::kMaxPacketSamples> values{};
    for (int sample = -32768; sample <= 32767; ++sample) {
        const std::span<const std::uint8_t> code =
            std::span(codes).subspan(static_cast<std::size_t>(sample + 32768), 1);
        ASSERT_EQ(code[0], GetParam() == Codec::Pcmu ? slow_ulaw(sample) : slow_alaw(sample))
            << sample;
        const auto decoder = make_decoder(GetParam());
        ASSERT_EQ(decoder->decode(code, values), 1U);
        // Half a step: a 32nd of the magnitude, of which the smallest segment sets the floor. The
        // top is clipped.
        ASSERT_LE(std::abs(values[0] - sample),
                  std::max(std::abs(sample) / 32 + 5, 8) + (std::abs(sample) > 32256 ? 512 : 0));
    }
}

INSTANTIATE_TEST_SUITE_P(Both,
                         G711,
                         testing::Values(Codec::Pcmu, Codec::Pcma),
                         [](const auto& each) {
                             return std::string(model::facts_of(each.param).name);
                         });

TEST(G711Table, WellKnownCodeWords) {
    const auto decode = [](Codec codec, std::uint8_t code) {
        std::int16_t value = 0;
        const std::array<std::uint8_t, 1> payload{code};
        make_decoder(codec)->decode(payload, std::span(&value, 1));
        return value;
    };
    EXPECT_EQ(decode(Codec::Pcmu, 0xFF), 0);
    EXPECT_EQ(decode(Codec::Pcmu, 0x80), 32124);
    EXPECT_EQ(decode(Codec::Pcmu, 0x00), -32124);
    EXPECT_EQ(decode(Codec::Pcma, 0xD5), 8);
    EXPECT_EQ(decode(Codec::Pcma, 0x55), -8);
    EXPECT_EQ(decode(Codec::Pcma, 0xAA), 32256);
    EXPECT_EQ(decode(Codec::Pcma, 0x2A), -32256);
}

TEST(OpusSettings, BitrateIsKept) {
    for (const int bps : {12000, 24000, 40000}) {
        const auto encoder =
            make_encoder(Codec::Opus, {.opus_complexity = 0, .opus_bitrate_bps = bps});
        ComfortNoise source(3);
        Samples noise(16000);
        source.fill(noise);
        for (auto& sample : noise) sample = static_cast<std::int16_t>(sample * 100);
        std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
        std::size_t bytes = 0;
        for (std::size_t at = 0; at < noise.size(); at += 320) {
            bytes += encoder->encode(std::span(noise).subspan(at, 320), payload);
        }
        EXPECT_NEAR(static_cast<double>(bytes) * 8, bps, bps * 0.25);
    }
}

TEST(Noise, LevelVariesBySeedAndNeverRepeats) {
    Samples first(16000);
    Samples second(16000);
    ComfortNoise(1).fill(first);
    ComfortNoise(2).fill(second);
    EXPECT_NEAR(test::rms(first), 18, 1);
    EXPECT_NE(first, second);
    // No period: frames one after another differ.
    ComfortNoise source(7);
    Samples a(160);
    Samples b(160);
    source.fill(a);
    for (int i = 0; i < 100; ++i) {
        source.fill(b);
        ASSERT_NE(a, b);
        a = b;
    }
}

}  // namespace
}  // namespace offhook::rtp
