#include "ai/resampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace offhook::ai {
namespace {

using Samples = std::vector<std::int16_t>;

constexpr std::uint32_t kRatesHz[] = {8000, 16000, 24000, 48000};

Samples tone(double hz, std::uint32_t rate_hz, std::size_t samples, double amplitude = 20000) {
    Samples pcm(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        pcm[i] = static_cast<std::int16_t>(std::lround(
            amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz)));
    }
    return pcm;
}

Samples resampled(Resampler& resampler, std::span<const std::int16_t> pcm) {
    Samples out(resampler.output_samples(pcm.size()));
    EXPECT_EQ(resampler.process(pcm, out), out.size());
    return out;
}

/// Amplitude of one frequency, the filter's beginning and end left out.
double amplitude_at(std::span<const std::int16_t> pcm, double hz, double rate_hz) {
    const std::size_t edge = pcm.size() / 4;
    const auto middle = pcm.subspan(edge, pcm.size() / 2);
    double re = 0, im = 0, weight = 0;
    for (std::size_t i = 0; i < middle.size(); ++i) {
        const double t = static_cast<double>(i);
        const double hann =
            1 - std::cos(2 * std::numbers::pi * t / static_cast<double>(middle.size()));
        const double angle = 2 * std::numbers::pi * hz * t / rate_hz;
        re += hann * middle[i] * std::cos(angle);
        im += hann * middle[i] * std::sin(angle);
        weight += hann;
    }
    return 2 * std::hypot(re, im) / weight;
}

double rms(std::span<const std::int16_t> pcm) {
    double sum = 0;
    const auto middle = pcm.subspan(pcm.size() / 4, pcm.size() / 2);
    for (const double sample : middle) sum += sample * sample;
    return std::sqrt(sum / static_cast<double>(middle.size()));
}

TEST(Resampler, EqualRatesPassBitByBit) {
    for (const std::uint32_t rate_hz : kRatesHz) {
        Resampler resampler(rate_hz, rate_hz);
        std::mt19937 random(rate_hz);
        Samples pcm(5000);
        for (auto& sample : pcm) sample = static_cast<std::int16_t>(random());
        EXPECT_EQ(resampled(resampler, pcm), pcm);
        EXPECT_EQ(resampler.delay_ms(), 0);
    }
}

TEST(Resampler, PiecesOfAnyLengthGiveTheSameAsTheWhole) {
    for (const std::uint32_t from_hz : kRatesHz) {
        for (const std::uint32_t to_hz : kRatesHz) {
            std::mt19937 random(from_hz + to_hz);
            Samples pcm(20'011);
            for (auto& sample : pcm) sample = static_cast<std::int16_t>(random());
            Resampler whole(from_hz, to_hz);
            const Samples expected = resampled(whole, pcm);
            EXPECT_EQ(expected.size(), (pcm.size() * to_hz + from_hz - 1) / from_hz);
            Resampler pieces(from_hz, to_hz);
            Samples got;
            for (std::size_t at = 0; at < pcm.size();) {
                // 7 ms, and whatever else a bot may send.
                const std::size_t wish = random() % 2 ? from_hz * 7 / 1000 : random() % 3000;
                const std::size_t n = std::min(wish, pcm.size() - at);
                const Samples part = resampled(pieces, std::span(pcm).subspan(at, n));
                got.insert(got.end(), part.begin(), part.end());
                at += n;
            }
            EXPECT_EQ(got, expected) << from_hz << " to " << to_hz;
        }
    }
}

TEST(Resampler, KeepsSpeechAndItsLevelAndIsLateAsItSays) {
    for (const std::uint32_t from_hz : kRatesHz) {
        for (const std::uint32_t to_hz : kRatesHz) {
            const double low = std::min(from_hz, to_hz);
            for (const double hz : {200.0, 1000.0, 0.40 * low, 0.42 * low}) {
                Resampler resampler(from_hz, to_hz);
                const Samples out = resampled(resampler, tone(hz, from_hz, from_hz));
                EXPECT_NEAR(20 * std::log10(amplitude_at(out, hz, to_hz) / 20000), 0, 0.05)
                    << from_hz << " to " << to_hz << ", " << hz << " Hz";
            }
            Resampler resampler(from_hz, to_hz);
            Samples step(from_hz, 0);
            std::fill(step.begin() + from_hz / 2, step.end(), std::int16_t{10000});
            const Samples out = resampled(resampler, step);
            const auto half = std::find_if(
                out.begin(), out.end(), [](std::int16_t sample) { return sample >= 5000; });
            EXPECT_NEAR(1e3 * static_cast<double>(half - out.begin()) / to_hz - 500,
                        resampler.delay_ms(),
                        1e3 / low)
                << from_hz << " to " << to_hz;
            EXPECT_EQ(out.back(), 10000) << "a constant stays what it is";
        }
    }
}

// Each tone above the lower rate's half, and each image of a tone below it, is 60 dB down.
TEST(Resampler, StopsWhatTheLowerRateCannotCarry) {
    for (const std::uint32_t from_hz : kRatesHz) {
        for (const std::uint32_t to_hz : kRatesHz) {
            const double low = std::min(from_hz, to_hz) / 2.0;
            if (to_hz < from_hz) {
                for (double hz = low; hz <= from_hz / 2.0; hz += 97) {
                    Resampler resampler(from_hz, to_hz);
                    const Samples out = resampled(resampler, tone(hz, from_hz, from_hz / 4, 32000));
                    EXPECT_LT(20 * std::log10((rms(out) + 1e-9) * std::numbers::sqrt2 / 32000), -60)
                        << from_hz << " to " << to_hz << ", " << hz << " Hz";
                }
            } else if (to_hz > from_hz) {
                for (double hz = 100; hz < low; hz += 213) {
                    Resampler resampler(from_hz, to_hz);
                    const Samples out = resampled(resampler, tone(hz, from_hz, from_hz / 4, 32000));
                    for (double image = from_hz - hz; image < to_hz / 2.0; image += from_hz) {
                        for (const double at : {image, image + 2 * hz}) {
                            if (at >= to_hz / 2.0) continue;
                            EXPECT_LT(
                                20 * std::log10((amplitude_at(out, at, to_hz) + 1e-9) / 32000), -60)
                                << from_hz << " to " << to_hz << ", " << at << " Hz of " << hz;
                        }
                    }
                }
            }
        }
    }
}

TEST(Resampler, NeverWrapsAround) {
    Resampler resampler(24000, 8000);
    Samples square(24000);
    for (std::size_t i = 0; i < square.size(); ++i)
        square[i] = i / 40 % 2 ? std::int16_t{32767} : std::int16_t{-32768};
    const Samples out = resampled(resampler, square);
    for (std::size_t i = 200; i < out.size(); ++i)
        ASSERT_LT(std::abs(out[i] - out[i - 1]), 60'000) << i;
}

TEST(Resampler, ForgetsTheSoundAndNotThePhase) {
    Resampler resampler(16000, 24000);
    resampled(resampler, Samples(1001, 30000));
    resampler.forget();
    const std::size_t n = resampler.output_samples(1000);
    EXPECT_EQ(1502 + n, (2001 * 3 + 1) / 2U);
    for (const std::int16_t sample : resampled(resampler, Samples(1000, 0))) ASSERT_EQ(sample, 0);
}

}  // namespace
}  // namespace offhook::ai
