#include "endpointer.h"

#include <algorithm>
#include <cmath>

namespace offhook::local_ai {
namespace {

constexpr double kQuietestDbov = -90;

double level_dbov(std::span<const std::int16_t> pcm) {
    double sum = 0;
    for (const std::int16_t sample : pcm) sum += double{1} * sample * sample;
    const double mean = sum / static_cast<double>(pcm.size());
    if (mean < 1) return kQuietestDbov;
    return 10 * std::log10(mean / (32768.0 * 32768.0));
}

}  // namespace

Endpointer::Endpointer(std::uint32_t sample_rate_hz, Events& events)
    : events_(events), frame_samples_(sample_rate_hz * kFrameMs / 1000) {}

void Endpointer::take(std::span<const std::int16_t> pcm) {
    while (!pcm.empty()) {
        const std::size_t some = std::min(frame_samples_ - frame_.size(), pcm.size());
        frame_.insert(frame_.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(some));
        pcm = pcm.subspan(some);
        if (frame_.size() < frame_samples_) return;
        judge_frame();
        frame_.clear();
    }
}

void Endpointer::judge_frame() {
    const double level = level_dbov(frame_);
    const bool is_loud = level > kFloorDbov && level > noise_dbov_ + kAboveNoiseDb;
    // 10 dB in 0.1 s down, in 10 s up: speech is over before it counts as noise.
    noise_dbov_ += level < noise_dbov_ ? std::max(level - noise_dbov_, -1.0) : 0.01;
    noise_dbov_ = std::max(noise_dbov_, kQuietestDbov);

    utterance_.insert(utterance_.end(), frame_.begin(), frame_.end());
    if (!is_speech_) {
        recent_.push_back(is_loud);
        if (recent_.size() > kStartWindowMs / kFrameMs) recent_.pop_front();
        const std::size_t before = frame_samples_ * (kBeforeMs / kFrameMs);
        if (utterance_.size() > before)
            utterance_.erase(utterance_.begin(),
                             utterance_.end() - static_cast<std::ptrdiff_t>(before));
        if (std::count(recent_.begin(), recent_.end(), true) < kStartMs / kFrameMs) return;
        is_speech_ = true;
        quiet_ms_ = 0;
        events_.on_speech_started();
        return;
    }
    quiet_ms_ = is_loud ? 0 : quiet_ms_ + kFrameMs;
    const std::size_t longest = frame_samples_ * (kLongestMs / kFrameMs);
    if (quiet_ms_ >= kPauseMs || utterance_.size() >= longest) end();
}

void Endpointer::finish() {
    if (is_speech_) end();
}

void Endpointer::end() {
    is_speech_ = false;
    recent_.clear();
    // As much quiet behind as before.
    const auto behind = static_cast<std::size_t>(std::max(0, quiet_ms_ - kBeforeMs) / kFrameMs);
    utterance_.resize(utterance_.size() - std::min(behind * frame_samples_, utterance_.size()));
    std::vector<std::int16_t> whole;
    whole.swap(utterance_);
    events_.on_utterance(std::move(whole));
}

}  // namespace offhook::local_ai
