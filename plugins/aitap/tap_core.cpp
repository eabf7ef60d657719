#include "aitap/tap_core.h"

#include <array>

#include "base/monotonic.h"
#include "model/codec.h"

namespace offhook::aitap {

void TapCore::tap(std::span<const std::int16_t> pcm, std::uint32_t sample_rate_hz) noexcept {
    model::LegCounters::add<std::uint64_t>(counters_->tapped_samples, pcm.size());
    if (auto* recorder = port_->recorder()) record(*recorder, pcm, sample_rate_hz);
    if (port_->seat) {
        bring(pcm, sample_rate_hz);
        return;
    }
    to_lane_.reset();
    if (sample_rate_hz == port_->sample_rate_hz) {
        port_->tap.write(pcm);
        port_->tapped_ns.store(base::monotonic_ns(), std::memory_order_release);
        return;
    }
    if (!resample_) {
        resample_.emplace(sample_rate_hz < port_->sample_rate_hz ? Resample2::Mode::Up
                                                                 : Resample2::Mode::Down);
    }
    std::array<std::int16_t, 2 * model::kMaxPacketSamples> resampled;
    const std::size_t n = resample_->process(pcm, resampled);
    port_->tap.write(std::span(resampled).first(n));
    port_->tapped_ns.store(base::monotonic_ns(), std::memory_order_release);
}

void TapCore::record(model::CallRecorder& recorder,
                     std::span<const std::int16_t> pcm,
                     std::uint32_t sample_rate_hz) noexcept {
    if (sample_rate_hz == model::CallRecorder::kRateHz) return recorder.hear(pcm);
    if (!to_recorder_) to_recorder_.emplace(Resample2::Mode::Up);
    std::array<std::int16_t, 2 * model::kMaxPacketSamples> resampled;
    recorder.hear(std::span(resampled).first(to_recorder_->process(pcm, resampled)));
}

void TapCore::bring(std::span<const std::int16_t> pcm, std::uint32_t sample_rate_hz) noexcept {
    if (sample_rate_hz == model::SoundLane::kRateHz) {
        port_->seat->from_leg.write(pcm);
        return;
    }
    if (!to_lane_) to_lane_.emplace(Resample2::Mode::Up);
    std::array<std::int16_t, 2 * model::kMaxPacketSamples> resampled;
    port_->seat->from_leg.write(std::span(resampled).first(to_lane_->process(pcm, resampled)));
}

}  // namespace offhook::aitap
