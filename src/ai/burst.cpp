#include "ai/burst.h"

#include <algorithm>
#include <array>

#include "base/monotonic.h"

namespace offhook::ai {

Burst::Burst(const config::Ai& ai, model::AudioPort& port) noexcept
    : first_hz_(ai.frequency_hz),
      port_(port),
      oscillator_(port.sample_rate_hz, ai.frequency_hz, ai.level_dbov) {}

double Burst::tone_hz(double first_hz, int index) noexcept {
    const double step_hz = std::clamp((3400 - first_hz) / (kTones - 1), 0.0, 100.0);
    return first_hz + index * step_hz;
}

void Burst::on_caller_audio(std::span<const std::int16_t> /*pcm*/) {}

void Burst::on_tick(std::int64_t now_ns) {
    constexpr std::int64_t kPeriodNs = kPeriodMs * base::kNsPerMs;
    if (next_ns_ && now_ns < *next_ns_) return;
    // After a stall of more than a period the missed ones stay missed.
    next_ns_ =
        next_ns_ && now_ns - *next_ns_ < kPeriodNs ? *next_ns_ + kPeriodNs : now_ns + kPeriodNs;
    speak();
}

void Burst::speak() {
    std::array<std::int16_t, 16 * kToneMs> room;
    const std::size_t per_ms = port_.sample_rate_hz / 1000;
    const std::span<std::int16_t> tone = std::span(room).first(per_ms * kToneMs);
    const std::size_t fade = per_ms * kFadeMs;
    for (int index = 0; index < kTones; ++index) {
        oscillator_.set_frequency(tone_hz(first_hz_, index));
        oscillator_.fill(tone);
        for (std::size_t i = 0; i < fade; ++i) {
            const auto up = static_cast<std::int32_t>(i);
            const auto full = static_cast<std::int32_t>(fade);
            std::int16_t& head = tone[i];
            std::int16_t& tail = tone[tone.size() - 1 - i];
            head = static_cast<std::int16_t>(head * up / full);
            tail = static_cast<std::int16_t>(tail * up / full);
        }
        port_.voice.write(tone);
    }
}

}  // namespace offhook::ai
