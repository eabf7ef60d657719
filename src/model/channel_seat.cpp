#include "model/channel_seat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace offhook::model {
namespace {

constexpr std::size_t kFrame = SoundLane::kFrameSamples;
constexpr std::int64_t kFrameNs = 20 * base::kNsPerMs;
constexpr std::int64_t kStartInHandNs = 10 * base::kNsPerMs;
constexpr std::int64_t kLeastInHandNs = 6 * base::kNsPerMs;
constexpr std::int64_t kMostInHandNs = 32 * base::kNsPerMs;
constexpr int kWindowReads = 150;
constexpr std::size_t kFadeSamples = 80;  // 5 ms
constexpr std::size_t kStartFrames = 2;   // what is kept of more when the lane starts
constexpr int kQuietPeak = 64;            // -54 dBov
constexpr int kQuietStep = 32, kLoudStep = 1;
constexpr std::size_t kStretchRoom = kFrame + kQuietStep + 3;

std::int16_t blend(std::int32_t from, std::int32_t to, std::size_t step) noexcept {
    constexpr auto kSteps = static_cast<std::int32_t>(kFadeSamples + 1);
    const auto done = static_cast<std::int32_t>(step + 1);
    return static_cast<std::int16_t>((from * (kSteps - done) + to * done) / kSteps);
}

/// Between p1 and p2, by Catmull and Rom.
float between(float p0, float p1, float p2, float p3, float at) noexcept {
    const float a = 3.0F * (p1 - p2) + p3 - p0;
    const float b = 2.0F * p0 - 5.0F * p1 + 4.0F * p2 - p3;
    return p1 + 0.5F * at * (p2 - p0 + at * (b + at * a));
}

}  // namespace

SoundLane::SoundLane(std::int64_t (*now_ns)() noexcept) : now_ns_(now_ns), samples_(kCapacity) {}

void SoundLane::write(std::span<const std::int16_t> pcm) noexcept {
    if (pcm.size() > kCapacity) pcm = pcm.last(kCapacity);
    std::uint64_t at = written_.load(std::memory_order_relaxed);
    // A reader that copies while we overwrite sees `claimed_` move past its samples.
    claimed_.store(at + pcm.size(), std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    for (const std::int16_t sample : pcm) {
        samples_[at % kCapacity].store(sample, std::memory_order_relaxed);
        ++at;
    }
    newest_samples_.store(static_cast<std::uint32_t>(pcm.size()), std::memory_order_relaxed);
    newest_ns_.store(now_ns_(), std::memory_order_relaxed);
    written_.store(at, std::memory_order_release);
}

SoundLane::Read SoundLane::read(std::span<std::int16_t, kFrameSamples> frame) noexcept {
    const std::uint64_t written = written_.load(std::memory_order_acquire);
    std::uint64_t waiting = written - read_;
    const bool was_running = is_running_;
    const std::int16_t before = last_sample_;
    bool is_cut = false;
    // A long packet is there at once, and no reason to skip.
    const std::uint64_t newest = newest_samples_.load(std::memory_order_relaxed);
    const std::uint64_t most = kMaxSamples + (newest > kFrame ? newest - kFrame : 0);
    if (waiting > std::min<std::uint64_t>(most, kCapacity - kFrame) ||
        (!has_run_ && waiting > kStartFrames * kFrame && waiting > newest)) {
        skip_to(written - std::max<std::uint64_t>(kStartFrames * kFrame, newest));
        waiting = written - read_;
        is_cut = was_running;
    }
    if (waiting < kFrame || (!was_running && in_hand_ns(waiting) < kStartInHandNs)) {
        return run_dry(frame, written, was_running);
    }
    if (was_running) watch(written, waiting);
    seen_ = written;
    is_running_ = has_run_ = true;

    std::size_t taken = kFrame;
    if (surplus_samples_ == 0) {
        copy(read_, frame);
    } else {
        taken = stretch(frame, waiting);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (claimed_.load(std::memory_order_relaxed) - read_ > kCapacity) {
        // Overwritten while it was copied: the reader was away for a quarter of a second.
        std::fill(frame.begin(), frame.end(), std::int16_t{0});
        skip_to(written);
        is_running_ = false;
        dry_ = written;
        taken = 0;
    }
    if (!was_running || is_cut || !is_running_) {
        last_sample_ = was_running ? before : std::int16_t{0};
        fade_from_last(frame);
    }
    read_ += taken;
    last_sample_ = frame.back();
    return is_running_ ? Read::Frame : Read::Missing;
}

/// @param waiting a frame at least
std::int64_t SoundLane::in_hand_ns(std::uint64_t waiting) const noexcept {
    const std::uint64_t newest = newest_samples_.load(std::memory_order_relaxed);
    const std::uint64_t before = waiting > newest ? waiting - newest : 0;
    const std::int64_t since = now_ns_() - newest_ns_.load(std::memory_order_relaxed);
    return std::max<std::int64_t>(since, 0) + static_cast<std::int64_t>(before / kFrame) * kFrameNs;
}

void SoundLane::watch(std::uint64_t written, std::uint64_t waiting) noexcept {
    // Without anything new, what comes next will have this in hand at most.
    const std::int64_t now = written != seen_
                                 ? in_hand_ns(waiting)
                                 : static_cast<std::int64_t>(waiting / kFrame) * kFrameNs;
    least_in_hand_ns_ = window_reads_ == 0 ? now : std::min(least_in_hand_ns_, now);
    if (++window_reads_ < kWindowReads) return;
    window_reads_ = 0;
    if (least_in_hand_ns_ < kLeastInHandNs) {
        surplus_samples_ = -static_cast<int>(kFrame);
    } else if (least_in_hand_ns_ > kMostInHandNs) {
        const auto frames = (least_in_hand_ns_ - kStartInHandNs) / kFrameNs;
        surplus_samples_ = static_cast<int>(frames) * static_cast<int>(kFrame);
    }
}

SoundLane::Read SoundLane::run_dry(std::span<std::int16_t, kFrameSamples> frame,
                                   std::uint64_t written,
                                   bool was_running) noexcept {
    std::fill(frame.begin(), frame.end(), std::int16_t{0});
    if (was_running) {
        fade_from_last(frame);
        dry_ = written;
        window_reads_ = 0;
        surplus_samples_ = 0;
    }
    is_running_ = false;
    last_sample_ = 0;
    return has_run_ && (was_running || written != dry_) ? Read::Missing : Read::Idle;
}

void SoundLane::skip_to(std::uint64_t position) noexcept {
    if (position <= read_) return;
    dropped_.store(dropped_.load(std::memory_order_relaxed) + position - read_,
                   std::memory_order_relaxed);
    read_ = position;
    window_reads_ = 0;
    surplus_samples_ = 0;
}

void SoundLane::copy(std::uint64_t from, std::span<std::int16_t> out) const noexcept {
    for (std::int16_t& sample : out) {
        sample = samples_[from % kCapacity].load(std::memory_order_relaxed);
        ++from;
    }
}

// Plays a few samples more or less in the time of a frame. @return how many
std::size_t SoundLane::stretch(std::span<std::int16_t, kFrameSamples> frame,
                               std::uint64_t waiting) noexcept {
    std::array<std::int16_t, kStretchRoom> in{};
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(waiting, in.size() - 1));
    in[0] = last_sample_;
    copy(read_, std::span(in).subspan(1, room));
    int peak = 0;
    for (std::size_t i = 1; i <= std::min(room, kFrame); ++i)
        peak = std::max(peak, std::abs(in[i]));
    const int step =
        std::min(std::abs(surplus_samples_), peak < kQuietPeak ? kQuietStep : kLoudStep);
    const auto taken = surplus_samples_ > 0 ? kFrame + static_cast<std::size_t>(step)
                                            : kFrame - static_cast<std::size_t>(step);
    if (taken > room) {
        std::copy_n(in.begin() + 1, kFrame, frame.begin());
        return kFrame;
    }
    std::fill(in.begin() + static_cast<std::ptrdiff_t>(room + 1), in.end(), in[room]);
    for (std::size_t i = 0; i < kFrame; ++i) {
        const std::size_t whole = i * taken / kFrame;
        const float at = static_cast<float>(i * taken % kFrame) / static_cast<float>(kFrame);
        const float value = between(in[whole], in[whole + 1], in[whole + 2], in[whole + 3], at);
        frame[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(
            std::clamp(value, -32768.0F, 32767.0F) + std::copysign(0.5F, value)));
    }
    if (surplus_samples_ > 0) {
        surplus_samples_ -= step;
        dropped_.store(dropped_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(step),
                       std::memory_order_relaxed);
    } else {
        surplus_samples_ += step;
    }
    return taken;
}

void SoundLane::fade_from_last(std::span<std::int16_t, kFrameSamples> frame) const noexcept {
    for (std::size_t i = 0; i < kFadeSamples; ++i) frame[i] = blend(last_sample_, frame[i], i);
}

}  // namespace offhook::model
