// The round trip of a marker: what is found where, and what counts as lost.
#include "caller/echo_meter.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace offhook::caller {
namespace {

constexpr std::int64_t kMs = 1'000'000;

class EchoMeterTest : public ::testing::Test {
protected:
    /// A frame of what comes back: the markers' loop, `shift` samples later.
    void hear(std::size_t at_sample, std::int64_t arrival_ns) {
        std::array<std::int16_t, 160> pcm{};
        for (std::size_t i = 0; i < pcm.size(); ++i) {
            const std::size_t at = at_sample + i;
            pcm[i] = at >= kLead ? sound.pcm[(at - kLead) % sound.pcm.size()] : std::int16_t{0};
        }
        std::array<std::uint8_t, 400> payload;
        meter.heard(std::span(payload).first(encoder->encode(pcm, payload)), arrival_ns);
    }

    static constexpr std::size_t kLead = 1000;  ///< samples of silence before the marker
    const Sound sound = EchoMeter::markers(8000);
    std::unique_ptr<rtp::Encoder> encoder = rtp::make_encoder(model::Codec::Pcmu);
    EchoMeter meter{model::Codec::Pcmu};
};

TEST_F(EchoMeterTest, ThePlaceInThePacketCounts) {
    meter.sent(100 * kMs);
    hear(0, 110 * kMs);
    hear(960, 130 * kMs);  // the marker is its sample 40
    ASSERT_EQ(meter.round_trips().count(), 1U);
    EXPECT_EQ(meter.round_trips().max_ns(), 35 * kMs);
    hear(1000, 150 * kMs);
    EXPECT_EQ(meter.round_trips().count(), 1U) << "one marker, one figure";
    EXPECT_EQ(meter.lost(), 0U);
}

TEST_F(EchoMeterTest, WhatDoesNotComeBackIsLost) {
    meter.sent(0 * kMs + 1);
    hear(0, 950 * kMs);
    EXPECT_EQ(meter.lost(), 1U) << "too late to be told from the next";
    hear(1000, 960 * kMs);
    EXPECT_EQ(meter.round_trips().count(), 0U) << "nothing is awaited";
    meter.sent(1000 * kMs);
    meter.sent(2000 * kMs);
    EXPECT_EQ(meter.lost(), 2U);
    hear(1000, 2010 * kMs);
    EXPECT_EQ(meter.round_trips().max_ns(), 10 * kMs);
}

TEST_F(EchoMeterTest, QuietSoundIsNoMarker) {
    meter.sent(1);
    std::array<std::int16_t, 160> pcm;
    pcm.fill(3000);
    std::array<std::uint8_t, 400> payload;
    meter.heard(std::span(payload).first(encoder->encode(pcm, payload)), 20 * kMs);
    EXPECT_EQ(meter.round_trips().count(), 0U);
}

}  // namespace
}  // namespace offhook::caller
