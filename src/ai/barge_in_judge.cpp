#include "ai/barge_in_judge.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::ai {

void BargeInJudge::on_speech(bool is_speaking,
                             std::int64_t at_ns,
                             bool is_playing,
                             std::int64_t now_ns) {
    is_speaking_ = is_speaking;
    if (!is_speaking) {
        is_waiting_ = false;
        if (is_pending_) spoken_ns_ += at_ns - began_ns_;
        return;
    }
    began_ns_ = at_ns;
    if (is_pending_ || !is_playing) return;
    if (now_ns < rest_until_ns_) {
        is_waiting_ = true;
    } else {
        begin(now_ns);
    }
}

void BargeInJudge::judge(bool is_one, std::int64_t now_ns) {
    if (is_pending_) end(is_one, now_ns);
}

void BargeInJudge::forget(std::int64_t now_ns) noexcept {
    if (is_pending_) rest_until_ns_ = now_ns + settings_.rest_ms * base::kNsPerMs;
    is_pending_ = false;
    is_waiting_ = false;
}

void BargeInJudge::tick(bool is_playing, std::int64_t now_ns) {
    if (is_pending_) {
        // Who may have stopped a moment ago is waited for.
        const bool is_enough = spoken_ns(now_ns) >= settings_.enough_ms * base::kNsPerMs;
        if (now_ns >= deadline_ns_ && (is_enough || !is_speaking_)) end(is_enough, now_ns);
    } else if (is_waiting_ && now_ns >= rest_until_ns_) {
        is_waiting_ = false;
        if (is_playing) begin(now_ns);
    }
}

void BargeInJudge::begin(std::int64_t now_ns) {
    is_pending_ = true;
    spoken_ns_ = 0;
    deadline_ns_ = now_ns + settings_.verdict_ms * base::kNsPerMs;
    events_.on_barge_in();
}

void BargeInJudge::end(bool is_one, std::int64_t now_ns) {
    is_pending_ = false;
    rest_until_ns_ = now_ns + settings_.rest_ms * base::kNsPerMs;
    if (is_one) {
        events_.on_confirmed();
    } else {
        events_.on_taken_back();
    }
}

std::int64_t BargeInJudge::spoken_ns(std::int64_t now_ns) const noexcept {
    if (!is_speaking_) return spoken_ns_;
    const std::int64_t since_ns = now_ns - began_ns_ - settings_.late_ms * base::kNsPerMs;
    return spoken_ns_ + std::max<std::int64_t>(since_ns, 0);
}

}  // namespace offhook::ai
