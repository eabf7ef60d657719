#include "spoken.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <random>
#include <span>
#include <stdexcept>

#include "model/wav.h"

extern char** environ;

namespace offhook::ai::testing {
namespace {

constexpr const char* kBotText =
    "Good afternoon, and thank you for calling the Lakeside Bakery. My name is Olivia, and I take "
    "the orders while everybody is busy at the ovens. I can tell you what we have fresh today, "
    "take an order for tomorrow morning, or tell you when we are open. Today there are rye loaves, "
    "sourdough, cinnamon rolls, and a lemon tart with almonds. Orders that reach us before six in "
    "the evening are ready at seven the next day. You may also ask for delivery in town, which "
    "costs two dollars and fifty cents. What would you like to do? Take your time, I am listening.";
constexpr const char* kCallerText =
    "Wait a moment, please. No, I would rather have two loaves of rye bread. Hello? Can you hear "
    "me? Stop. That is not what I asked for.";

double power(std::span<const std::int16_t> pcm) {
    double sum = 0;
    for (const std::int16_t sample : pcm) sum += double{1} * sample * sample;
    return pcm.empty() ? 0 : sum / static_cast<double>(pcm.size());
}

double dbov(double power) {
    return power <= 0 ? -127 : 10 * std::log10(power / (32768.0 * 32768.0));
}

/// RMS of the frames within 20 dB of the loudest.
double spoken_dbov(const Samples& pcm, std::uint32_t rate_hz) {
    const std::size_t frame = rate_hz / 50;
    std::vector<double> powers;
    for (std::size_t at = 0; at + frame <= pcm.size(); at += frame)
        powers.push_back(power(std::span(pcm).subspan(at, frame)));
    double most = 0;
    for (const double one : powers) most = std::max(most, one);
    double sum = 0;
    int n = 0;
    for (const double one : powers) {
        if (one < most / 100) continue;
        sum += one;
        ++n;
    }
    return dbov(sum / n);
}

}  // namespace

Samples spoken(const std::string& text,
               const std::string& voice,
               std::uint32_t rate_hz,
               double level_dbov) {
    const std::string path = ::testing::TempDir() + "spoken-" + std::to_string(::getpid()) + ".wav";
    const char* const argv[] = {
        "espeak-ng", "-v", voice.c_str(), "-w", path.c_str(), text.c_str(), nullptr};
    pid_t child = 0;
    int status = -1;
    if (posix_spawnp(&child, argv[0], nullptr, nullptr, const_cast<char* const*>(argv), environ) !=
            0 ||
        waitpid(child, &status, 0) != child || status != 0) {
        throw std::runtime_error("espeak-ng does not speak; scripts/setup installs it");
    }
    auto pcm = model::read_wav(path, rate_hz);
    std::remove(path.c_str());
    if (!pcm) throw std::runtime_error(pcm.error().text());
    scale_to(*pcm, spoken_dbov(*pcm, rate_hz), level_dbov);
    return *pcm;
}

Samples bot_speech(std::uint32_t rate_hz, double level_dbov) {
    return spoken(kBotText, "en-us+f3", rate_hz, level_dbov);
}

Samples caller_speech(std::uint32_t rate_hz, double level_dbov) {
    return spoken(kCallerText, "en-us+m3", rate_hz, level_dbov);
}

std::vector<bool> where_spoken(const Samples& pcm, std::uint32_t rate_hz) {
    const std::size_t frame = rate_hz / 50;
    const double least_dbov = spoken_dbov(pcm, rate_hz) - 20;
    std::vector<bool> spoken;
    for (std::size_t at = 0; at + frame <= pcm.size(); at += frame)
        spoken.push_back(dbov(power(std::span(pcm).subspan(at, frame))) > least_dbov);
    return spoken;
}

Samples after_ms(int ms, std::uint32_t rate_hz, const Samples& pcm) {
    Samples later(rate_hz / 1000 * static_cast<std::size_t>(ms));
    later.insert(later.end(), pcm.begin(), pcm.end());
    return later;
}

Samples make(const Tones& tones, std::uint32_t rate_hz, double seconds) {
    Samples pcm(static_cast<std::size_t>(seconds * rate_hz));
    const double peak = 32768 * std::pow(10, tones.level_dbov / 20) *
                        std::sqrt(2.0 / static_cast<double>(tones.hz.size()));
    const int period_ms = tones.on_ms + tones.off_ms;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        if (period_ms > 0 && static_cast<int>(t * 1000) % period_ms >= tones.on_ms) continue;
        double sum = 0;
        for (const double hz : tones.hz) sum += std::sin(2 * std::numbers::pi * hz * t);
        pcm[i] = static_cast<std::int16_t>(std::lround(peak * sum));
    }
    return pcm;
}

Samples white_noise(std::size_t n, double level_dbov, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 32768 * std::pow(10, level_dbov / 20));
    Samples pcm(n);
    for (auto& sample : pcm)
        sample = static_cast<std::int16_t>(std::clamp(normal(random), -32767.0, 32767.0));
    return pcm;
}

Samples fan_noise(std::size_t n, std::uint32_t rate_hz, double level_dbov, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 1);
    const double pole = std::exp(-2 * std::numbers::pi * 200 / rate_hz);
    double low = 0;
    Samples pcm(n);
    for (std::size_t i = 0; i < n; ++i) {
        low = pole * low + normal(random);
        const double t = static_cast<double>(i) / rate_hz;
        pcm[i] =
            static_cast<std::int16_t>(100 * (low + 0.5 * std::sin(2 * std::numbers::pi * 120 * t)));
    }
    scale_to(pcm, testing::level_dbov(pcm), level_dbov);
    return pcm;
}

void scale_to(Samples& pcm, double from_dbov, double to_dbov) {
    const double gain = std::pow(10, (to_dbov - from_dbov) / 20);
    for (auto& sample : pcm)
        sample = static_cast<std::int16_t>(std::clamp(sample * gain, -32767.0, 32767.0));
}

double level_dbov(const Samples& pcm) {
    return dbov(power(pcm));
}

void mix(Samples& pcm, const Samples& what, std::size_t at, double gain_db) {
    const double gain = std::pow(10, gain_db / 20);
    for (std::size_t i = 0; i < what.size() && at + i < pcm.size(); ++i)
        pcm[at + i] =
            static_cast<std::int16_t>(std::clamp(pcm[at + i] + gain * what[i], -32767.0, 32767.0));
}

}  // namespace offhook::ai::testing
