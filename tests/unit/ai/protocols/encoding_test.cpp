#include "ai/protocols/encoding.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace offhook::ai {
namespace {

std::array<std::byte, 256> all_codes() {
    std::array<std::byte, 256> codes{};
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i);
    return codes;
}

TEST(Encoding, G711ThroughSamplesAndBackLosesNothing) {
    const auto codes = all_codes();
    for (const Encoding law : {Encoding::Pcmu, Encoding::Pcma}) {
        std::vector<std::int16_t> pcm;
        std::vector<std::byte> again;
        decode_samples(law, codes, pcm);
        encode_samples(law, pcm, again);
        ASSERT_EQ(again.size(), codes.size());
        for (std::size_t i = 0; i < codes.size(); ++i) {
            // mu-law has two zeros; minus zero becomes the other one.
            const bool is_minus_zero = law == Encoding::Pcmu && i == 0x7F;
            EXPECT_EQ(again[i], is_minus_zero ? std::byte{0xFF} : codes[i])
                << name_of(law) << " " << i;
        }
    }
}

TEST(Encoding, KnowsTheEndsOfBothLaws) {
    std::vector<std::int16_t> pcm;
    decode_samples(Encoding::Pcmu, all_codes(), pcm);
    EXPECT_EQ(pcm[0x00], -32124);
    EXPECT_EQ(pcm[0x80], 32124);
    EXPECT_EQ(pcm[0xFF], 0);
    decode_samples(Encoding::Pcma, all_codes(), pcm);
    EXPECT_EQ(pcm[0x2A], -32256);
    EXPECT_EQ(pcm[0xAA], 32256);
    EXPECT_EQ(pcm[0xD5], 8);
}

TEST(Encoding, NoSampleIsFurtherOffThanHalfAStep) {
    for (const Encoding law : {Encoding::Pcmu, Encoding::Pcma}) {
        for (int sample = -32768; sample <= 32767; ++sample) {
            const std::int16_t in[] = {static_cast<std::int16_t>(sample)};
            std::byte code[1];
            std::int16_t out[1];
            encode_samples(law, in, std::span<std::byte>(code));
            decode_samples(law, code, std::span<std::int16_t>(out));
            // 16 steps a segment, each twice as high as the one below.
            ASSERT_LE(std::abs(out[0] - sample), (std::abs(sample) + 264) / 32 + 8)
                << name_of(law) << " " << sample;
        }
    }
}

TEST(Encoding, PcmIsLittleEndian) {
    const std::int16_t pcm[] = {0x0102, -2};
    std::vector<std::byte> bytes;
    encode_samples(Encoding::Pcm, pcm, bytes);
    EXPECT_EQ(bytes,
              (std::vector<std::byte>{
                  std::byte{0x02}, std::byte{0x01}, std::byte{0xFE}, std::byte{0xFF}}));
    bytes.push_back(std::byte{9});  // half a sample
    std::vector<std::int16_t> out;
    decode_samples(Encoding::Pcm, bytes, out);
    EXPECT_EQ(out, (std::vector<std::int16_t>{0x0102, -2}));
}

TEST(Encoding, NothingIsNothing) {
    std::vector<std::byte> bytes;
    std::vector<std::int16_t> pcm;
    for (const Encoding encoding : {Encoding::Pcm, Encoding::Pcmu, Encoding::Pcma}) {
        encode_samples(encoding, {}, bytes);
        decode_samples(encoding, {}, pcm);
        EXPECT_TRUE(bytes.empty() && pcm.empty());
        EXPECT_EQ(encoding_named(name_of(encoding), Encoding::Pcm), encoding);
    }
    EXPECT_EQ(encoding_named("", Encoding::Pcma), Encoding::Pcma);
}

TEST(Encoding, ALongMessagesBufferIsGivenBack) {
    std::vector<std::byte> bytes(20'000);
    trim(bytes);
    EXPECT_EQ(bytes.capacity(), 0U);
    bytes.reserve(1000);
    trim(bytes);
    EXPECT_GE(bytes.capacity(), 1000U);
}

}  // namespace
}  // namespace offhook::ai
