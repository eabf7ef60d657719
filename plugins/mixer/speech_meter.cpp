#include "mixer/speech_meter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace offhook::mixer {
namespace {

constexpr std::int32_t kFullScale = 32'767;
constexpr double kFrameSamples = 320;
constexpr std::int32_t kLeastCdb = -4'500;
constexpr std::int32_t kAboveFloorCdb = 900;
constexpr int kHangoverFrames = 15;

std::int32_t cdb_of(double amplitude) noexcept {
    if (amplitude < 0.5) return SpeechMeter::kSilenceCdb;
    return static_cast<std::int32_t>(std::lround(2'000 * std::log10(amplitude / kFullScale)));
}

}  // namespace

void SpeechMeter::feed(std::span<const std::int16_t> pcm) noexcept {
    std::uint64_t sum = 0;
    std::int32_t peak = 0;
    for (const std::int32_t sample : pcm) {
        sum += static_cast<std::uint32_t>(sample * sample);
        peak = std::max(peak, std::abs(sample));
    }
    if (peak >= kFullScale) {
        clipped_samples_ += static_cast<std::uint64_t>(
            std::count_if(pcm.begin(), pcm.end(), [](std::int32_t sample) {
                return std::abs(sample) >= kFullScale;
            }));
    }
    const std::size_t at = frames_ % kWindowFrames;
    sums_[at] = sum;
    peaks_[at] = peak;
    const std::uint64_t sums = std::accumulate(sums_.begin(), sums_.end(), std::uint64_t{0});
    level_cdb_ = cdb_of(std::sqrt(static_cast<double>(sums) / (kFrameSamples * kWindowFrames)));
    peak_cdb_ = cdb_of(*std::max_element(peaks_.begin(), peaks_.end()));

    const std::int32_t frame_cdb = cdb_of(std::sqrt(static_cast<double>(sum) / kFrameSamples));
    const bool is_loud = frame_cdb > kLeastCdb && (frame_cdb > floor_cdb_ + kAboveFloorCdb);
    speaking_frames_ = is_loud ? kHangoverFrames : std::max(speaking_frames_ - 1, 0);
    follow_floor(frame_cdb);
}

void SpeechMeter::follow_floor(std::int32_t frame_cdb) noexcept {
    const std::size_t window = frames_ / kWindowFrames % kFloorWindows;
    std::int32_t& floor = floors_cdb_[window];
    floor = frames_ % kWindowFrames == 0 ? frame_cdb : std::min(floor, frame_cdb);
    floor_cdb_ = *std::min_element(floors_cdb_.begin(), floors_cdb_.end());
    ++frames_;
}

}  // namespace offhook::mixer
