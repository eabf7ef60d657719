// The tap: an exact copy at the same rate, a true one at another.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "aitap/tap_core.h"
#include "callstats/flow_meter.h"

namespace offhook::aitap {
namespace {

std::vector<std::int16_t> tone(double hz,
                               std::uint32_t rate,
                               std::size_t samples,
                               double amplitude = 10000) {
    std::vector<std::int16_t> pcm(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        pcm[i] = static_cast<std::int16_t>(std::lround(
            amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate)));
    }
    return pcm;
}

/// Amplitude of one frequency, ignoring the first 100 samples.
double amplitude_at(const std::vector<std::int16_t>& pcm, double hz, std::uint32_t rate) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 100; i < pcm.size(); ++i) {
        const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate;
        re += pcm[i] * std::cos(phase);
        im += pcm[i] * std::sin(phase);
    }
    return 2 * std::sqrt(re * re + im * im) / static_cast<double>(pcm.size() - 100);
}

std::vector<std::int16_t> tapped(const std::vector<std::int16_t>& pcm,
                                 std::uint32_t from,
                                 std::uint32_t to) {
    auto port = std::make_shared<model::AudioPort>(to);
    TapCore core(port, std::make_shared<model::LegCounters>());
    std::vector<std::int16_t> out;
    const std::size_t frame = from / 50;
    for (std::size_t at = 0; at + frame <= pcm.size(); at += frame) {
        core.tap(std::span(pcm).subspan(at, frame), from);
        std::vector<std::int16_t> piece(2 * frame * to / from);
        piece.resize(port->tap.read(piece));
        out.insert(out.end(), piece.begin(), piece.end());
    }
    return out;
}

TEST(Tap, CopiesExactlyAtTheSameRate) {
    const auto pcm = tone(440, 8000, 8000);
    EXPECT_EQ(tapped(pcm, 8000, 8000), pcm);
}

TEST(Tap, DoublesTheRateWithoutImages) {
    const auto up = tapped(tone(1000, 8000, 8000), 8000, 16000);
    ASSERT_EQ(up.size(), 16000u);
    EXPECT_NEAR(amplitude_at(up, 1000, 16000), 10000, 100);
    EXPECT_LT(amplitude_at(up, 7000, 16000), 40) << "the image of 1 kHz is 48 dB down at least";
}

TEST(Tap, HalvesTheRateWithoutAliases) {
    const auto down = tapped(tone(1000, 16000, 16000), 16000, 8000);
    ASSERT_EQ(down.size(), 8000u);
    EXPECT_NEAR(amplitude_at(down, 1000, 8000), 10000, 100);
    const auto aliased = tapped(tone(6000, 16000, 16000), 16000, 8000);
    EXPECT_LT(amplitude_at(aliased, 2000, 8000), 40);
}

TEST(Tap, SeatedInAChannelBringsItsSoundThereAtSixteenKilohertz) {
    for (const std::uint32_t rate : {8'000U, 16'000U}) {
        auto port = std::make_shared<model::AudioPort>(rate);
        TapCore core(port, std::make_shared<model::LegCounters>());
        const auto pcm = tone(1000, rate, rate);
        const std::size_t frame = rate / 50;
        port->seat = std::make_shared<model::ChannelSeat>();
        std::vector<std::int16_t> heard;
        for (std::size_t at = 0; at + frame <= pcm.size(); at += frame) {
            core.tap(std::span(pcm).subspan(at, frame), rate);
            std::array<std::int16_t, model::SoundLane::kFrameSamples> mix;
            if (port->seat->from_leg.read(mix) == model::SoundLane::Read::Frame)
                heard.insert(heard.end(), mix.begin(), mix.end());
        }
        ASSERT_GT(heard.size(), 15'000u);
        heard.erase(heard.begin(), heard.begin() + 1'000);
        EXPECT_NEAR(amplitude_at(heard, 1000, 16000), 10000, 300) << rate;
        EXPECT_EQ(port->tap.written_samples(), 0u) << "the tap is the mixer's";

        port->seat.reset();
        core.tap(std::span(pcm).first(frame), rate);
        EXPECT_EQ(port->tap.written_samples(), frame);
    }
}

TEST(FlowMeterTest, MeasuresLevelAndGaps) {
    callstats::FlowMeter meter(8000);
    const auto pcm = tone(440, 8000, 8000, 32767);
    std::int64_t now = 1;
    bool alarmed = false;
    for (std::size_t at = 0; at < 8000; at += 160, now += 20'000'000) {
        alarmed |= meter.feed(std::span(pcm).subspan(at, 160), now, 50'000'000);
    }
    EXPECT_FALSE(alarmed);
    EXPECT_TRUE(meter.feed(std::span(pcm).first(160), now + 100'000'000, 50'000'000));
    const auto figures = meter.figures();
    EXPECT_EQ(figures.samples, 8160u);
    EXPECT_NEAR(figures.level_dbov, -3.01, 0.05);
    EXPECT_EQ(figures.peak, 32767);
    EXPECT_NEAR(figures.max_gap_ms, 120, 0.1);
}

}  // namespace
}  // namespace offhook::aitap
