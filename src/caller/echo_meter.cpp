#include "caller/echo_meter.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace offhook::caller {
namespace {

constexpr std::uint32_t kMarkerMs = 10;
constexpr std::int16_t kMarkerPeak = 8000;
constexpr int kMarkerHz = 500;
/// Half of it: where a step that was filtered on its way passes its middle.
constexpr int kFound = kMarkerPeak / 2;

}  // namespace

Sound EchoMeter::markers(std::uint32_t sample_rate_hz) {
    Sound sound{sample_rate_hz, std::vector<std::int16_t>(sample_rate_hz)};
    const std::uint32_t half_period = sample_rate_hz / (2 * kMarkerHz);
    for (std::uint32_t i = 0; i < sample_rate_hz / 1000 * kMarkerMs; ++i) {
        const bool is_up = i / half_period % 2 == 0;
        sound.pcm[i] = is_up ? kMarkerPeak : static_cast<std::int16_t>(-kMarkerPeak);
    }
    return sound;
}

EchoMeter::EchoMeter(model::Codec codec)
    : decoder_(rtp::make_decoder(codec)),
      sample_ns_(1'000'000'000 / model::facts_of(codec).sample_rate_hz) {}

void EchoMeter::sent(std::int64_t at_ns) noexcept {
    if (awaited_since_ns_ != 0) ++lost_;
    awaited_since_ns_ = at_ns;
}

void EchoMeter::heard(std::span<const std::uint8_t> payload, std::int64_t arrival_ns) {
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    const std::size_t n = decoder_->decode(payload, pcm);
    if (awaited_since_ns_ == 0) return;
    if (arrival_ns - awaited_since_ns_ > kLostAfterNs) {
        awaited_since_ns_ = 0;
        ++lost_;
        return;
    }
    const auto end = pcm.begin() + static_cast<std::ptrdiff_t>(n);
    const auto found = std::find_if(
        pcm.begin(), end, [](std::int16_t sample) { return std::abs(sample) >= kFound; });
    if (found == end) return;
    round_trips_.record(arrival_ns - awaited_since_ns_ + (found - pcm.begin()) * sample_ns_);
    awaited_since_ns_ = 0;
}

}  // namespace offhook::caller
