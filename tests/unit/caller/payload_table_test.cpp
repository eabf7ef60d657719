#include "caller/payload_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rtp/codec.h"

namespace offhook::caller {
namespace {

double rms(std::span<const std::int16_t> pcm) {
    double sum = 0;
    for (const std::int16_t sample : pcm) sum += double{1} * sample * sample;
    return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(pcm.size(), 1)));
}

/// What a listener hears of frames [first, last).
std::vector<std::int16_t> heard(model::Codec codec,
                                PayloadTable& table,
                                std::uint64_t first,
                                std::uint64_t last) {
    const auto decoder = rtp::make_decoder(codec);
    std::vector<std::int16_t> all;
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    for (std::uint64_t i = 0; i < last; ++i) {
        const auto packet = table.packet(i);
        const std::size_t samples = decoder->decode(packet.subspan(rtp::kHeaderBytes), pcm);
        EXPECT_EQ(samples, model::frame_samples(decoder->sample_rate_hz()));
        if (i >= first)
            all.insert(all.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(samples));
    }
    return all;
}

TEST(PayloadTableTest, EveryCodecSpeaksTheBeepsAndTheirPauses) {
    for (const model::CodecFacts& facts : model::kCodecs) {
        auto table = PayloadTable::create(facts.codec, beeps(44100));
        ASSERT_TRUE(table) << facts.name;
        EXPECT_EQ(table->size(), 100U) << facts.name;
        // -20 dBov is 3277; half a second in the middle of the beep and of the pause.
        EXPECT_NEAR(rms(heard(facts.codec, *table, 10, 35)), 3277, 400) << facts.name;
        EXPECT_LT(rms(heard(facts.codec, *table, 65, 90)), 30) << facts.name;
    }
}

TEST(PayloadTableTest, ThePacketsLoopAndHaveRoomForAHeader) {
    auto table = PayloadTable::create(model::Codec::Pcmu, silence(8000));
    ASSERT_TRUE(table);
    EXPECT_EQ(table->size(), 50U);
    EXPECT_EQ(table->packet(0).size(), rtp::kHeaderBytes + 160);
    EXPECT_EQ(table->packet(0).data(), table->packet(50).data());
    EXPECT_EQ(table->packet(49).data() + 172, table->packet(0).data() + table->size() * 172);
}

TEST(PayloadTableTest, TheLastFrameIsFilledUp) {
    auto table =
        PayloadTable::create(model::Codec::Pcma, Sound{8000, std::vector<std::int16_t>(161, 1000)});
    ASSERT_TRUE(table);
    EXPECT_EQ(table->size(), 2U);
}

TEST(PayloadTableTest, NoSoundIsRefused) {
    EXPECT_FALSE(PayloadTable::create(model::Codec::Pcmu, Sound{8000, {}}));
}

}  // namespace
}  // namespace offhook::caller
