#include "mixer/ai_voice.h"

#include <algorithm>
#include <array>

#include "callstats/level_meter.h"
#include "model/codec.h"

namespace offhook::mixer {
namespace {

using aitap::Resample2;

class Silence final : public linekeeper::Filler {
public:
    void fill(std::span<std::int16_t> pcm) noexcept override {
        std::fill(pcm.begin(), pcm.end(), std::int16_t{0});
    }
};

}  // namespace

AiVoice::AiVoice(std::shared_ptr<model::AudioPort> port)
    : port_(std::move(port)),
      keeper_(port_->sample_rate_hz,
              std::make_unique<Silence>(),
              std::make_shared<model::LegCounters>()) {
    keeper_.set_voice(port_);
    if (port_->sample_rate_hz == model::SoundLane::kRateHz) return;
    up_.emplace(Resample2::Mode::Up);
    down_.emplace(Resample2::Mode::Down);
}

bool AiVoice::say(Frame frame, std::int64_t now_ns) noexcept {
    const std::size_t samples = keeper_.frame_samples();
    std::array<std::int16_t, model::SoundLane::kFrameSamples> own;
    const std::span<std::int16_t> pcm = up_ ? std::span(own).first(samples) : std::span(frame);
    const auto made = keeper_.make_frame(pcm);
    port_->ledger.settle(made.offset_samples, samples, true, now_ns);
    if (!port_->has_leg) port_->sent_levels.write(now_ns, callstats::level_of(pcm));
    if (up_) up_->process(pcm, frame);
    return std::any_of(frame.begin(), frame.end(), [](std::int16_t sample) { return sample != 0; });
}

void AiVoice::hear(ConstFrame frame, std::int64_t now_ns) noexcept {
    if (down_) {
        std::array<std::int16_t, model::SoundLane::kFrameSamples> half;
        port_->tap.write(std::span(half).first(down_->process(frame, half)));
    } else {
        port_->tap.write(frame);
    }
    port_->tapped_ns.store(now_ns, std::memory_order_release);
}

}  // namespace offhook::mixer
