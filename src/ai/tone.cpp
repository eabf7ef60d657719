#include "ai/tone.h"

#include <array>

#include "model/codec.h"

namespace offhook::ai {

Tone::Tone(const config::Ai& ai, model::AudioPort& port) noexcept
    : port_(port), oscillator_(port.sample_rate_hz, ai.frequency_hz, ai.level_dbov) {}

void Tone::on_caller_audio(std::span<const std::int16_t> /*pcm*/) {}

void Tone::on_tick(std::int64_t /*now_ns*/) {
    const std::uint64_t low = port_.sample_rate_hz / 10;
    const std::uint64_t high = port_.sample_rate_hz / 5;
    std::uint64_t queued = port_.voice.queued_samples();
    if (queued >= low) return;
    std::array<std::int16_t, model::frame_samples(16000)> frame;
    const std::span<std::int16_t> pcm =
        std::span(frame).first(model::frame_samples(port_.sample_rate_hz));
    for (; queued < high; queued += pcm.size()) {
        oscillator_.fill(pcm);
        port_.voice.write(pcm);
    }
}

}  // namespace offhook::ai
