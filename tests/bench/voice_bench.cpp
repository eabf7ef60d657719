// ns per 20 ms of one caller: the voice detector alone, and with the echo guard around it.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "ai/caller_speech.h"
#include "ai/voice_detector.h"
#include "base/monotonic.h"
#include "rtp/noise.h"

namespace {

using namespace offhook;

/// A second of a pitch that glides and gets louder and softer, or of a quiet office.
std::vector<std::int16_t> sound(std::uint32_t rate_hz, bool is_speech) {
    std::vector<std::int16_t> pcm(rate_hz);
    rtp::ComfortNoise(1).fill(pcm);
    if (!is_speech) return pcm;
    double phase = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        phase += 6.283185 * (140 + 40 * std::sin(9 * t)) / rate_hz;
        double sum = 0;
        for (int harmonic = 1; harmonic <= 12; ++harmonic)
            sum += std::sin(harmonic * phase) / harmonic;
        pcm[i] = static_cast<std::int16_t>(pcm[i] + 3000 * (1 + std::sin(20 * t)) * sum);
    }
    return pcm;
}

void detect(benchmark::State& state, std::uint32_t rate_hz, bool is_speech) {
    const auto pcm = sound(rate_hz, is_speech);
    ai::VoiceDetector detector(rate_hz);
    std::size_t at = 0;
    int voiced = 0;
    for (auto _ : state) {
        voiced += detector.hear(std::span(pcm).subspan(at, detector.frame())).is_voice ? 1 : 0;
        at = (at + detector.frame()) % pcm.size();
    }
    state.counters["voiced"] =
        static_cast<double>(voiced) / static_cast<double>(state.iterations());
}

class Nobody : public ai::CallerSpeech::Events {
    void on_speech(bool, std::uint64_t, std::int64_t) override {}
};

/// Many callers, so that each finds its state in the caches as a daemon's would; all of them speak
/// while the bot does.
void hear(benchmark::State& state, std::uint32_t rate_hz) {
    const auto calls = static_cast<std::size_t>(state.range(0));
    const auto pcm = sound(rate_hz, true);
    Nobody nobody;
    std::vector<std::shared_ptr<model::AudioPort>> ports;
    std::vector<std::unique_ptr<ai::CallerSpeech>> callers;
    for (std::size_t i = 0; i < calls; ++i) {
        ports.push_back(std::make_shared<model::AudioPort>(rate_hz));
        callers.push_back(
            std::make_unique<ai::CallerSpeech>(ports.back(), ai::CallerSpeech::Settings{}, nobody));
    }
    const std::size_t frame = rate_hz / 50;
    std::size_t call = 0;
    std::size_t at = 0;
    std::int64_t now_ns = base::kNsPerS;
    for (auto _ : state) {
        ports[call]->sent_levels.write(now_ns, -1800 - static_cast<int>(at % 1000));
        callers[call]->hear(std::span(pcm).subspan(at, frame), now_ns);
        if (++call == calls) {
            call = 0;
            at = (at + frame) % pcm.size();
            now_ns += 20 * base::kNsPerMs;
        }
    }
}

BENCHMARK_CAPTURE(detect, quiet_8k, 8000, false);
BENCHMARK_CAPTURE(detect, speech_8k, 8000, true);
BENCHMARK_CAPTURE(detect, quiet_16k, 16000, false);
BENCHMARK_CAPTURE(detect, speech_16k, 16000, true);
BENCHMARK_CAPTURE(hear, 8k, 8000)->Arg(1)->Arg(1000);
BENCHMARK_CAPTURE(hear, 16k, 16000)->Arg(1)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
