#include "ai/echo.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/codec.h"

namespace offhook::ai {
namespace {

bool is_silent(std::span<const std::int16_t> pcm) {
    static const double kMostPower = std::pow(32768 * std::pow(10, Echo::kSilenceDbov / 20), 2);
    double power = 0;
    for (const std::int16_t sample : pcm) power += double{1} * sample * sample;
    return power <= kMostPower * static_cast<double>(pcm.size());
}

}  // namespace

Echo::Echo(const config::Ai& ai, model::AudioPort& port, AiCounters& counters) noexcept
    : port_(port),
      counters_(counters),
      delay_samples_(std::uint64_t{port.sample_rate_hz} * static_cast<std::uint64_t>(ai.delay_ms) /
                     1000),
      most_samples_(delay_samples_ + std::uint64_t{port.sample_rate_hz} * kSlackMs / 1000) {}

void Echo::on_caller_audio(std::span<const std::int16_t> pcm) {
    const std::size_t frame = model::frame_samples(port_.sample_rate_hz);
    while (!pcm.empty()) {
        const std::span<const std::int16_t> part = pcm.first(std::min(pcm.size(), frame));
        pcm = pcm.subspan(part.size());
        const std::uint64_t queued = port_.voice.queued_samples();
        if (queued == 0) prime();
        if (queued > most_samples_) is_trimming_ = true;
        if (queued <= delay_samples_) is_trimming_ = false;
        if (is_trimming_ && is_silent(part)) {
            AiCounters::add(counters_.trimmed_samples, part.size());
        } else {
            port_.voice.write(part);
        }
    }
}

void Echo::on_tick(std::int64_t /*now_ns*/) {}

void Echo::prime() {
    static constexpr std::array<std::int16_t, 1600> kZeros{};
    for (std::uint64_t left = delay_samples_; left != 0;) {
        const std::size_t n = std::min<std::uint64_t>(left, kZeros.size());
        port_.voice.write(std::span(kZeros).first(n));
        left -= n;
    }
}

}  // namespace offhook::ai
