#pragma once

#include "ai/call_ai.h"

namespace offhook::ai {

/// Everything the caller says comes back, in order and intact, `delay_ms` later. When the queue has
/// run dry (at the start, or after the caller paused) it is primed with that much silence; then
/// each frame goes in as it comes, so the queue holds the delay and takes up the network's jitter.
/// A queue more than 500 ms longer than that (the two clocks drift, or we stood still) is brought
/// back by leaving out silence only.
class Echo final : public CallAi {
public:
    static constexpr int kSlackMs = 500;
    static constexpr double kSilenceDbov = -45;

    Echo(const config::Ai& ai, model::AudioPort& port, AiCounters& counters) noexcept;
    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;

private:
    void prime();

    model::AudioPort& port_;
    AiCounters& counters_;
    const std::uint64_t delay_samples_;
    const std::uint64_t most_samples_;
    bool is_trimming_ = false;
};

}  // namespace offhook::ai
