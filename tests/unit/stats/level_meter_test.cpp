#include "callstats/level_meter.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace offhook {
namespace {

using callstats::LevelMeter;
using model::LegCounters;

constexpr std::uint32_t kRateHz = 8000;

std::vector<std::int16_t> square(std::int16_t value, std::size_t samples) {
    std::vector<std::int16_t> pcm(samples);
    for (std::size_t i = 0; i < samples; ++i)
        pcm[i] = static_cast<std::int16_t>(i % 2 == 0 ? value : -value);
    return pcm;
}

struct Meter {
    LevelMeter meter{kRateHz};
    model::SoundCounters counters;

    /// In frames of 20 ms. @return how many whole seconds were told
    int feed(const std::vector<std::int16_t>& pcm) {
        int seconds = 0;
        for (std::size_t i = 0; i < pcm.size(); i += 160)
            seconds += meter.feed(std::span(pcm).subspan(i, 160), &counters) ? 1 : 0;
        return seconds;
    }
    template <class T>
    T get(const std::atomic<T>& cell) const {
        return LegCounters::get(cell);
    }
};

TEST(LevelMeter, TellsThePowerOfTheLast200Ms) {
    Meter m;
    EXPECT_EQ(m.feed(square(32767, 1600)), 0);
    EXPECT_EQ(m.get(m.counters.level_now_cdb), 0);
    m.feed(square(3277, 1600));
    EXPECT_NEAR(m.get(m.counters.level_now_cdb), -2000, 1);
    m.feed(std::vector<std::int16_t>(1600));
    EXPECT_EQ(m.get(m.counters.level_now_cdb), -12700);
}

TEST(LevelMeter, ASecondIsFiveBlocks) {
    Meter m;
    EXPECT_EQ(m.feed(square(3277, 7840)), 0);
    EXPECT_EQ(m.feed(square(3277, 160)), 1);
    EXPECT_NEAR(m.meter.level_cdb(), -2000, 1);
    EXPECT_EQ(m.feed(square(3277, 16000)), 2);
    EXPECT_EQ(m.get(m.counters.seconds), 3U);
}

TEST(LevelMeter, SilentSecondsAndTheEnergyOfTheOthers) {
    Meter m;
    m.feed(std::vector<std::int16_t>(8000));
    m.feed(square(20, 8000));  // -64 dBov
    m.feed(square(40, 8000));  // -58 dBov
    m.feed(square(32767, 8000));
    EXPECT_EQ(m.get(m.counters.seconds), 4U);
    EXPECT_EQ(m.get(m.counters.silent_seconds), 2U);
    // A square wave of full scale has energy 1 a second (W3C totalAudioEnergy).
    EXPECT_NEAR(m.get(m.counters.energy_s), 1.0, 1e-5);
    EXPECT_NEAR(m.get(m.counters.active_energy_s), 1.0, 1e-5);
    EXPECT_LT(m.get(m.counters.active_energy_s), m.get(m.counters.energy_s));
}

TEST(LevelMeter, CountsWhatStandsAtTheEndOfTheScale) {
    Meter m;
    auto pcm = square(32123, 160);
    m.feed(pcm);
    EXPECT_EQ(m.get(m.counters.clipped_samples), 0U);
    pcm[3] = 32124;
    pcm[4] = -32124;
    pcm[5] = -32768;
    m.feed(pcm);
    EXPECT_EQ(m.get(m.counters.clipped_samples), 3U);
    EXPECT_EQ(m.get(m.counters.samples), 320U);
}

TEST(LevelMeter, MeasuresWithoutCountersToo) {
    LevelMeter meter(kRateHz);
    const auto pcm = square(3277, 8000);
    EXPECT_TRUE(meter.feed(pcm));
    EXPECT_EQ(meter.peak(), 3277);
    EXPECT_FALSE(LevelMeter(kRateHz).feed(std::span(pcm).first(160)));
}

}  // namespace
}  // namespace offhook
