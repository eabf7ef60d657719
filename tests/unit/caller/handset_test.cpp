#include "caller/handset.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace offhook::caller {
namespace {

using model::Codec;

class HandsetTest : public ::testing::Test {
protected:
    static constexpr std::size_t kFrame = 160;
    std::unique_ptr<rtp::Encoder> encoder_ = rtp::make_encoder(Codec::Pcmu);
    std::unique_ptr<rtp::Decoder> decoder_ = rtp::make_decoder(Codec::Pcmu);
    std::shared_ptr<const Sound> silence_ =
        std::make_shared<const Sound>(Sound{8000, std::vector<std::int16_t>(8000)});

    /// The far end sends one frame of this, all samples alike.
    void far_end(Handset& handset, std::int16_t value) {
        const std::vector<std::int16_t> pcm(kFrame, value);
        std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
        handset.heard(std::span(payload).first(encoder_->encode(pcm, payload)));
    }
    /// What the handset says, of which all samples must be alike.
    int said(Handset& handset) {
        std::array<std::int16_t, model::kMaxPacketSamples> pcm{};
        const auto packet = handset.packet();
        EXPECT_EQ(decoder_->decode(packet.subspan(rtp::kHeaderBytes), pcm), kFrame);
        for (std::size_t i = 1; i < kFrame; ++i) EXPECT_EQ(pcm[i], pcm[0]);
        return pcm[0];
    }
};

TEST_F(HandsetTest, WhatIsHeardComesBackLaterAndQuieter) {
    Handset handset(Codec::Pcmu, {.delay_ms = 200, .loss_db = 20}, silence_);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(said(handset), 0);
    for (int i = 0; i < 50; ++i) {
        far_end(handset, static_cast<std::int16_t>((i + 1) * 400));
        // 200 ms are ten frames.
        const int expected = i < 10 ? 0 : (i - 9) * 40;
        EXPECT_NEAR(said(handset), expected, expected * 0.06 + 8) << i;
    }
}

TEST_F(HandsetTest, BesideWhatIsSaid) {
    const auto speech =
        std::make_shared<const Sound>(Sound{8000, std::vector<std::int16_t>(kFrame, 5000)});
    Handset handset(Codec::Pcmu, {.delay_ms = 20, .loss_db = 6.02}, speech);
    far_end(handset, 2000);
    EXPECT_NEAR(said(handset), 5000, 200);
    far_end(handset, 32000);
    EXPECT_NEAR(said(handset), 6000, 200);
    far_end(handset, 0);
    EXPECT_NEAR(said(handset), 21000, 700);
    EXPECT_NEAR(said(handset), 5000, 200);
}

TEST_F(HandsetTest, ABurstAndAPauseDoNotChangeTheDelayForLong) {
    Handset handset(Codec::Pcmu, {.delay_ms = 40, .loss_db = 0}, silence_);
    for (int i = 0; i < 100; ++i) far_end(handset, 100);  // two seconds at once
    // 40 ms of delay and 60 of slack are kept.
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(said(handset), 100, 8);
    EXPECT_EQ(said(handset), 0);
    far_end(handset, 1000);
    EXPECT_EQ(said(handset), 0);
    far_end(handset, 2000);
    EXPECT_EQ(said(handset), 0);
    EXPECT_NEAR(said(handset), 1000, 60);
    EXPECT_NEAR(said(handset), 2000, 120);
}

}  // namespace
}  // namespace offhook::caller
