#pragma once

#include <optional>

#include "ai/call_ai.h"
#include "ai/oscillator.h"

namespace offhook::ai {

/// Speaks as a text-to-speech bot does: every 4 s it writes 2 s of sound at once, and nothing
/// between. The sound is ten tones of 200 ms, each 100 Hz above the one before, from `frequency_hz`
/// on, so that a lost, doubled or swapped piece is heard.
class Burst final : public CallAi {
public:
    static constexpr int kTones = 10;
    static constexpr int kToneMs = 200;
    static constexpr int kFadeMs = 10;  ///< at both edges of each tone
    static constexpr int kPeriodMs = 4000;

    Burst(const config::Ai& ai, model::AudioPort& port) noexcept;
    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;

    /// Pitch of tone `index` (0-9) when the first is at `first_hz`: 100 Hz apart, less where the
    /// ninth step would leave the telephone's band (3400 Hz).
    [[nodiscard]] static double tone_hz(double first_hz, int index) noexcept;

private:
    void speak();

    const double first_hz_;
    model::AudioPort& port_;
    Oscillator oscillator_;
    std::optional<std::int64_t> next_ns_;
};

}  // namespace offhook::ai
