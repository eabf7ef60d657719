#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "aitap/resample2.h"
#include "model/audio_port.h"
#include "model/leg_counters.h"

namespace offhook::aitap {

/// Hands a copy of the caller's sound to the AI at the port's rate (8 or 16 kHz), or to the mixer of
/// the channel that the leg has a seat in, at the lane's. Never waits: a slow reader loses the oldest
/// samples, which ring and lane count.
/// @thread the media worker
class TapCore {
public:
    TapCore(std::shared_ptr<model::AudioPort> port,
            std::shared_ptr<model::LegCounters> counters) noexcept
        : port_(std::move(port)), counters_(std::move(counters)) {}

    /// @param pcm mono S16 at `sample_rate_hz`, 8000 or 16000, at most model::kMaxPacketSamples
    void tap(std::span<const std::int16_t> pcm, std::uint32_t sample_rate_hz) noexcept;

private:
    void record(model::CallRecorder& recorder,
                std::span<const std::int16_t> pcm,
                std::uint32_t sample_rate_hz) noexcept;
    void bring(std::span<const std::int16_t> pcm, std::uint32_t sample_rate_hz) noexcept;

    std::shared_ptr<model::AudioPort> port_;
    std::shared_ptr<model::LegCounters> counters_;
    std::optional<Resample2> resample_;
    std::optional<Resample2> to_lane_;      ///< while seated
    std::optional<Resample2> to_recorder_;  ///< while recorded, at 8 kHz
};

}  // namespace offhook::aitap
