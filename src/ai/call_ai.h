#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ai/call_news.h"
#include "ai/latency.h"
#include "config/config.h"
#include "model/audio_port.h"

namespace offhook::ai {

/// What the AI side of this process did so far. Written by the ai thread only (relaxed), read by
/// anybody.
struct AiCounters {
    std::atomic<std::uint64_t> wakes{0};       ///< times the thread came out of its wait
    std::atomic<std::uint64_t> late_ticks{0};  ///< 10 ms ticks skipped because the thread was late
    std::atomic<std::uint64_t> caller_samples{0};  ///< taken from taps
    std::atomic<std::uint64_t> trimmed_samples{
        0};  ///< silence an echo left out because its queue had grown
    std::atomic<std::uint64_t> failed_sessions{0};  ///< ended by an exception
    std::atomic<std::uint64_t> sessions{0};         ///< now
    Latencies latencies;

    static void add(std::atomic<std::uint64_t>& cell, std::uint64_t value) noexcept {
        cell.store(cell.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
    }
};

/// The last of what a caller said, mono S16.
struct LastWords {
    std::uint32_t sample_rate_hz = 8000;
    std::vector<std::int16_t> pcm;
};

/// One AI on one call: hears the caller, speaks by writing the call's VoiceQueue. Those that need no
/// socket (echo, mute, burst, tone) stand one file each beside this; a bot behind a socket is a
/// BotSession.
/// @thread the ai thread, all of it
class CallAi {
public:
    virtual ~CallAi() = default;

    /// What the caller said since the last time, in order, mono S16 at the port's sample rate.
    /// Valid during the call.
    virtual void on_caller_audio(std::span<const std::int16_t> pcm) = 0;
    /// Time passes: first when the AI is attached, then every 10 ms, among many every 20 to 30.
    /// @param now_ns CLOCK_MONOTONIC
    virtual void on_tick(std::int64_t now_ns) = 0;
    /// Something happened to the call that is not sound.
    virtual void on_news(const CallNews& /*news*/) {}
    /// For the AI that comes after this one on the call.
    [[nodiscard]] virtual LastWords last_words() const { return {}; }
    /// What was sent because of `on_caller_audio` has gone to the kernel. @param now_ns as above
    virtual void on_sent(std::int64_t /*now_ns*/) {}
};

/// The built-in one that `ai` names. `port` and `counters` must outlive it.
[[nodiscard]] std::unique_ptr<CallAi> make_ai(const config::Ai& ai,
                                              model::AudioPort& port,
                                              AiCounters& counters);

}  // namespace offhook::ai
