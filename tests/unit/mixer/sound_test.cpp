// What a sum goes through on its way into 16 bits, and who is said to speak.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <random>

#include "mixer/limiter.h"
#include "mixer/speech_meter.h"
#include "tones.h"

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = Limiter::kFrameSamples;

/// Frames of a tone, any amplitude, through the limiter.
std::vector<std::int16_t> limited(Limiter& limiter, double hz, double amplitude, int frames) {
    std::vector<std::int16_t> heard;
    Tone tone(hz, 1'000);
    for (int i = 0; i < frames; ++i) {
        std::array<float, kFrame> sum;
        const auto pcm = tone.next(kFrame);
        for (std::size_t s = 0; s < kFrame; ++s)
            sum[s] = static_cast<float>(pcm[s] * amplitude / 1'000);
        std::array<std::int16_t, kFrame> out;
        limiter.limit(sum, out);
        heard.insert(heard.end(), out.begin(), out.end());
    }
    return heard;
}

TEST(LimiterTest, LeavesAloneWhatFits) {
    Limiter limiter;
    const auto pcm = limited(limiter, 400, 29'000, 10);
    EXPECT_NEAR(amplitude_of(pcm, 400), 29'000, 30);
    EXPECT_LE(roughness_of(pcm, 400), 70) << "only rounded, once by the test";
}

TEST(LimiterTest, NeitherWrapsNorClicksHoweverLoud) {
    const double natural = 2 * std::sin(3.14159 * 400 / kRateHz);
    for (const double amplitude : {31'000.0, 60'000.0, 300'000.0, 2'000'000.0}) {
        Limiter limiter;
        const auto pcm = limited(limiter, 400, amplitude, 50);
        double biggest = 0;
        for (std::size_t i = 1; i < pcm.size(); ++i) {
            const double step = std::abs(pcm[i] - pcm[i - 1]);
            // Behind the first 5 ms, where nobody saw it coming.
            if (i > 80) biggest = std::max(biggest, step);
        }
        EXPECT_LE(biggest, 30'000 * natural * 1.05) << amplitude;
        EXPECT_NEAR(amplitude_of(std::span(pcm).last(20 * kFrame), 400), 30'000, 600) << amplitude;
    }
}

TEST(LimiterTest, ComesBackSoftlyWithinASecond) {
    Limiter limiter;
    (void)limited(limiter, 400, 300'000, 10);
    const auto pcm = limited(limiter, 400, 10'000, 50);
    EXPECT_LT(amplitude_of(std::span(pcm).first(kFrame / 4), 400), 5'000);
    EXPECT_NEAR(amplitude_of(std::span(pcm).last(10 * kFrame), 400), 10'000, 20);
}

TEST(LimiterTest, NoiseOfAnyLevelStaysInside) {
    std::mt19937 random(1);
    Limiter limiter;
    for (int i = 0; i < 2'000; ++i) {
        std::uniform_real_distribution<float> value(-100.0F, 100.0F);
        const float loud = std::abs(value(random)) * 1'000 + 1;
        std::array<float, kFrame> sum;
        for (float& sample : sum) sample = value(random) * loud;
        std::array<std::int16_t, kFrame> out;
        limiter.limit(sum, out);
        for (std::size_t s = 0; s < kFrame; ++s) {
            ASSERT_TRUE(out[s] == 0 || (out[s] > 0) == (sum[s] > 0)) << "wrapped";
        }
    }
}

void feed(SpeechMeter& meter, Tone& tone, int frames) {
    for (int i = 0; i < frames; ++i) meter.feed(tone.next(kFrame));
}

TEST(SpeechMeterTest, SpeaksAboveItsOwnFloorAndForAWhileAfter) {
    SpeechMeter meter;
    Tone hum(120, 200), voice(440, 3'000);
    feed(meter, hum, 200);
    EXPECT_FALSE(meter.is_speaking()) << "-47 dBov";
    feed(meter, voice, 1);
    EXPECT_TRUE(meter.is_speaking());
    feed(meter, voice, 49);
    EXPECT_NEAR(meter.level_cdb(), -2'377, 10);
    EXPECT_NEAR(meter.peak_cdb(), -2'077, 10);
    feed(meter, hum, 14);
    EXPECT_TRUE(meter.is_speaking());
    feed(meter, hum, 2);
    EXPECT_FALSE(meter.is_speaking());
}

TEST(SpeechMeterTest, ASoundThatNeverEndsBecomesTheFloor) {
    SpeechMeter meter;
    Tone fan(200, 1'000);
    feed(meter, fan, 50);
    feed(meter, fan, 200);
    EXPECT_FALSE(meter.is_speaking());
    Tone voice(440, 6'000);
    feed(meter, voice, 5);
    EXPECT_TRUE(meter.is_speaking());
}

TEST(SpeechMeterTest, CountsWhatIsClippedAndKnowsSilence) {
    SpeechMeter meter;
    std::vector<std::int16_t> pcm(kFrame, 0);
    pcm[7] = 32'767;
    pcm[8] = -32'768;
    pcm[9] = -32'767;
    pcm[10] = 32'766;
    meter.feed(pcm);
    EXPECT_EQ(meter.clipped_samples(), 3u);
    EXPECT_EQ(meter.peak_cdb(), 0);
    for (int i = 0; i < 10; ++i) meter.feed({});
    EXPECT_EQ(meter.level_cdb(), SpeechMeter::kSilenceCdb);
    EXPECT_EQ(meter.peak_cdb(), SpeechMeter::kSilenceCdb);
}

}  // namespace
}  // namespace offhook::mixer
