#include "model/call_recorder.h"

#include <algorithm>

namespace offhook::model {

CallRecorder::CallRecorder() : frames_(kFrames) {}

void CallRecorder::hear(std::span<const std::int16_t> pcm) noexcept {
    if (!is_stopped_.load(std::memory_order_relaxed)) caller_.write(pcm);
}

void CallRecorder::say(std::span<const std::int16_t, kFrameSamples> pcm) noexcept {
    if (is_stopped_.load(std::memory_order_relaxed)) return;
    std::array<std::int16_t, kFrameSamples> heard;
    // Silence where nothing came: the lane fills the frame whatever it says.
    (void)caller_.read(heard);
    const std::uint64_t number = next_number_++;
    const std::uint64_t at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) >= kFrames) {
        dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
        Frame& frame = frames_[at % kFrames];
        frame.number = number;
        frame.is_paused = is_paused();
        if (frame.is_paused) {
            frame.samples.fill(0);
        } else {
            for (std::size_t i = 0; i < kFrameSamples; ++i) {
                frame.samples[2 * i] = heard[i];
                frame.samples[2 * i + 1] = said_[i];
            }
        }
        written_.store(at + 1, std::memory_order_release);
    }
    std::copy(pcm.begin(), pcm.end(), said_.begin());
}

bool CallRecorder::read(Frame& frame) noexcept {
    const std::uint64_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return false;
    frame = frames_[at % kFrames];
    read_.store(at + 1, std::memory_order_release);
    return true;
}

}  // namespace offhook::model
