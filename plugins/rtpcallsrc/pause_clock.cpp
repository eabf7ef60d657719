#include "rtpcallsrc/pause_clock.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::rtpcallsrc {
namespace {

/// The first packet after a pause may come this much late before the pause grows by it.
constexpr std::int64_t kHoldBackMs = 40;
constexpr std::int64_t kMostAtOnceMs = 100;
constexpr std::int64_t kMostAtEndMs = 200;

}  // namespace

void PauseClock::begin(std::uint32_t timestamp_rtp, std::int64_t from_ns) noexcept {
    is_active_ = true;
    from_rtp_ = timestamp_rtp;
    from_ns_ = from_ns;
    made_samples_ = 0;
}

std::size_t PauseClock::take_due(std::int64_t now_ns) noexcept {
    if (!is_active_) return 0;
    const std::int64_t per_ms = codec_.sample_rate_hz / 1000;
    const auto frame = static_cast<std::int64_t>(model::frame_samples(codec_.sample_rate_hz));
    const std::int64_t passed_ms = (now_ns - from_ns_) / base::kNsPerMs - kHoldBackMs;
    const std::int64_t due = passed_ms * per_ms - made_samples_;
    if (due < frame) return 0;
    const std::int64_t most = kMostAtOnceMs * per_ms;
    // After a stall the time beyond is given up, as everywhere.
    if (due > most) made_samples_ += due - most;
    const std::int64_t samples = std::min(due, most) / frame * frame;
    made_samples_ += samples;
    return static_cast<std::size_t>(samples);
}

std::size_t PauseClock::end(std::uint32_t timestamp_rtp) noexcept {
    if (!is_active_) return 0;
    is_active_ = false;
    const auto ticks = static_cast<std::int32_t>(timestamp_rtp - from_rtp_);
    const std::int64_t length =
        std::int64_t{ticks} * codec_.sample_rate_hz / codec_.rtp_clock_hz - made_samples_;
    const std::int64_t most = kMostAtEndMs * (codec_.sample_rate_hz / 1000);
    return static_cast<std::size_t>(std::clamp<std::int64_t>(length, 0, most));
}

}  // namespace offhook::rtpcallsrc
