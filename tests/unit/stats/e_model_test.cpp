#include "stats/e_model.h"

#include <gtest/gtest.h>

namespace offhook {
namespace {

using model::Codec;
using stats::burst_ratio;
using stats::mos_of;
using stats::r_factor;

/// What of R is the delay's, and thereby what is left of 93.2 without it.
constexpr double kNoDelayMs = 20;  // the packet itself

// Pairs of G.107 Annex B, table B.1, and the ends of the scale.
TEST(EModel, MosOfRAsTheRecommendationHasIt) {
    EXPECT_NEAR(mos_of(93.2), 4.41, 0.005);
    EXPECT_NEAR(mos_of(90), 4.34, 0.005);
    EXPECT_NEAR(mos_of(80), 4.03, 0.01);
    EXPECT_NEAR(mos_of(70), 3.60, 0.01);
    EXPECT_NEAR(mos_of(60), 3.10, 0.005);
    EXPECT_NEAR(mos_of(50), 2.58, 0.01);
    EXPECT_DOUBLE_EQ(mos_of(0), 1);
    EXPECT_DOUBLE_EQ(mos_of(-20), 1);
    EXPECT_DOUBLE_EQ(mos_of(3), 1);
    EXPECT_DOUBLE_EQ(mos_of(100), 4.5);
    EXPECT_DOUBLE_EQ(mos_of(130), 4.5);
}

TEST(EModel, MosNeverFallsAsRRises) {
    for (double r = -5; r < 105; r += 0.5) EXPECT_LE(mos_of(r), mos_of(r + 0.5)) << r;
}

TEST(EModel, DelayDisturbsFrom177MsOn) {
    EXPECT_NEAR(r_factor(Codec::Pcmu, {}), 93.2 - 0.024 * kNoDelayMs, 1e-9);
    EXPECT_NEAR(r_factor(Codec::Pcmu, {.round_trip_ms = 160}), 93.2 - 0.024 * 100, 1e-9);
    EXPECT_NEAR(r_factor(Codec::Pcmu, {.round_trip_ms = 400, .jitter_buffer_ms = 40}),
                93.2 - 0.024 * 260 - 0.11 * (260 - 177.3),
                1e-9);
}

// G.711 with packet loss concealment (Ie 0, Bpl 25.1): 1 % random loss costs 95 / 26.1.
TEST(EModel, LossCostsWhatG113Says) {
    const double clean = r_factor(Codec::Pcma, {});
    EXPECT_NEAR(clean - r_factor(Codec::Pcma, {.loss_share = 0.01}), 95.0 / 26.1, 1e-9);
    EXPECT_NEAR(clean - r_factor(Codec::Pcma, {.loss_share = 0.05}), 95.0 * 5 / 30.1, 1e-9);
    // R 76.94
    EXPECT_NEAR(mos_of(r_factor(Codec::Pcma, {.loss_share = 0.05})), 3.903, 0.001);
}

TEST(EModel, BurstsAreWorseThanChance) {
    const double random = r_factor(Codec::Pcmu, {.loss_share = 0.05});
    const double bursts = r_factor(Codec::Pcmu, {.loss_share = 0.05, .burst_ratio = 2});
    EXPECT_NEAR(random - bursts, 95 * 5 / (2.5 + 25.1) - 95 * 5 / (5 + 25.1), 1e-9);
    EXPECT_DOUBLE_EQ(burst_ratio(0, 0, 0), 1);
    EXPECT_DOUBLE_EQ(burst_ratio(10, 10, 0.1), 1);
    EXPECT_DOUBLE_EQ(burst_ratio(40, 10, 0.5), 2);
}

TEST(EModel, EveryCodecHasItsValuesAndSaysWhichAreOurs) {
    for (const auto& facts : model::kCodecs) {
        const auto impairment = stats::impairment_of(facts.codec);
        EXPECT_GT(impairment.bpl, 0) << facts.name;
        const bool is_g711 = facts.codec == Codec::Pcmu || facts.codec == Codec::Pcma;
        EXPECT_EQ(impairment.is_estimate, !is_g711) << facts.name;
    }
}

TEST(EModel, StaysOnItsScale) {
    EXPECT_DOUBLE_EQ(r_factor(Codec::Opus, {.round_trip_ms = 3000, .loss_share = 1}), 0);
    EXPECT_DOUBLE_EQ(r_factor(Codec::Opus, {.loss_share = 2}),
                     r_factor(Codec::Opus, {.loss_share = 1}));
}

}  // namespace
}  // namespace offhook
