#include "ai/caller_feed.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

/// After a stall no more than this is made up for at once.
constexpr std::int64_t kMostTickNs = 50 * base::kNsPerMs;
constexpr std::int64_t kTickNs = 10 * base::kNsPerMs;

}  // namespace

CallerFeed::CallerFeed(std::uint32_t port_rate_hz,
                       std::uint32_t bot_rate_hz,
                       int frame_ms,
                       Sink& sink)
    : bot_rate_hz_(bot_rate_hz), sink_(sink), history_(bot_rate_hz, frame_ms) {
    if (port_rate_hz != bot_rate_hz) resampler_.emplace(port_rate_hz, bot_rate_hz);
}

void CallerFeed::recall(const LastWords& words) {
    if (words.sample_rate_hz == bot_rate_hz_) {
        history_.append(words.pcm);
    } else if (!words.pcm.empty()) {
        Resampler resampler(words.sample_rate_hz, bot_rate_hz_);
        resampled_.resize(resampler.output_samples(words.pcm.size()));
        resampled_.resize(resampler.process(words.pcm, resampled_));
        history_.append(resampled_);
    }
    recalled_ = history_.written();
}

void CallerFeed::hear(std::span<const std::int16_t> pcm) {
    if (resampler_) {
        resampled_.resize(resampler_->output_samples(pcm.size()));
        resampled_.resize(resampler_->process(pcm, resampled_));
        pcm = resampled_;
    }
    history_.append(pcm);
    if (!is_started_ || is_behind_) return;
    while (is_started_ && history_.has(cursor_)) send(false);
}

void CallerFeed::start(std::int64_t now_ns) {
    is_started_ = true;
    is_behind_ = true;
    cursor_ = history_.kept_from();
    replay_end_ = history_.written();
    ticked_ns_ = now_ns - kTickNs;  // the first tick's worth at once
    credit_samples_ = 0;
    tick(now_ns);
}

void CallerFeed::tick(std::int64_t now_ns) {
    const std::int64_t passed_ns = std::clamp<std::int64_t>(now_ns - ticked_ns_, 0, kMostTickNs);
    ticked_ns_ = now_ns;
    if (!is_started_ || !is_behind_) return;
    credit_samples_ += static_cast<double>(passed_ns) / base::kNsPerS * kReplaySpeed * bot_rate_hz_;
    send_backlog();
}

void CallerFeed::send_backlog() {
    const auto frame = static_cast<double>(history_.frame_samples());
    // Overwritten while it waited, which takes a stall of half a second.
    if (cursor_ < history_.kept_from() && !history_.has(cursor_)) cursor_ = history_.kept_from();
    while (is_started_ && history_.has(cursor_)) {
        if (credit_samples_ < frame) return;
        credit_samples_ -= frame;
        send(cursor_ < replay_end_);
    }
    is_behind_ = false;
}

void CallerFeed::send(bool is_replay) {
    const std::uint64_t at = cursor_;
    cursor_ += history_.frame_samples();
    sink_.on_frame(history_.frame(at), {.position = at, .is_replay = is_replay});
}

double CallerFeed::kept_ms() const noexcept {
    const std::uint64_t kept = history_.written() - history_.kept_from();
    const std::uint64_t whole = kept / history_.frame_samples() * history_.frame_samples();
    return 1e3 * static_cast<double>(whole) / bot_rate_hz_;
}

}  // namespace offhook::ai
