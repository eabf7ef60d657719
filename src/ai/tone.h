#pragma once

#include "ai/call_ai.h"
#include "ai/oscillator.h"

namespace offhook::ai {

/// A steady tone (`frequency_hz`, `level_dbov`) without end; 100 to 200 ms of it are kept in the
/// queue.
class Tone final : public CallAi {
public:
    Tone(const config::Ai& ai, model::AudioPort& port) noexcept;
    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;

private:
    model::AudioPort& port_;
    Oscillator oscillator_;
};

}  // namespace offhook::ai
