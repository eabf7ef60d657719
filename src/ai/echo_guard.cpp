#include "ai/echo_guard.h"

#include <algorithm>
#include <cmath>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr float kQuietDbov = -70;  // below this levels say nothing
constexpr float kLoudDbov = -45;   // of ours: speech, not filler
constexpr float kUnknownLossDb = 12;
constexpr float kMostLossDb = 60;
/// Above the median: the level of an echo varies with what is said.
constexpr double kMarginDb = 6;
/// What a room keeps of a sound: 60 dB in 600 ms.
constexpr double kTailDbPerFrame = 2;
/// By how much other reflections are quieter than the one that was found.
constexpr float kOthersDb = 10;

constexpr float kMemoryFrames = 150;  // 3 s
constexpr float kFewestFrames = 50;   // 1 s
constexpr float kAlike = 0.6F;
constexpr float kStillAlike = 0.35F;
constexpr float kVeryAlike = 0.7F;
constexpr float kLeastSpreadDb = 2;
/// Not an echo worth a name.
constexpr float kFaintLossDb = 45;

// dB a frame
constexpr float kFirstStepDb = 0.6F;
constexpr float kStepDb = 0.1F;
constexpr float kCautiousStepDb = 0.02F;

}  // namespace

EchoGuard::EchoGuard(const model::LevelRing& sent) noexcept : ring_(sent), taken_(sent.written()) {
    loss_db_.fill(kUnknownLossDb);
}

double EchoGuard::hear(double level_dbov,
                       double noise_dbov,
                       std::int64_t end_ns,
                       bool is_caller) noexcept {
    take_sent();
    // The middle of the frame, as it was spoken: packets leave at the begin of theirs.
    look_back(end_ns / base::kNsPerMs - static_cast<std::int64_t>(kFrameMs) / 2);
    const float loudest = *std::max_element(before_.begin(), before_.end());
    if (loudest > kLoudDbov) {
        compare(std::max({level_dbov, noise_dbov, double{kQuietDbov}}));
        find_delay();
        learn(level_dbov, is_caller);
    }
    bound_dbov_ = std::max(bound(), bound_dbov_ - kTailDbPerFrame);
    return bound_dbov_;
}

double EchoGuard::delay_ms() const noexcept {
    if (delay_ == kNone || loss_db_[delay_] > kFaintLossDb) return -1;
    // Between two frames' delays by the likeness of both sides.
    double at = static_cast<double>(delay_);
    if (delay_ > 0 && delay_ + 1 < kLags) {
        const double before = double{likeness_[delay_ - 1]};
        const double here = double{likeness_[delay_]};
        const double after = double{likeness_[delay_ + 1]};
        const double bend = before - 2 * here + after;
        if (bend < -1e-6) at += std::clamp((before - after) / (2 * bend), -0.5, 0.5);
    }
    return at * double{kFrameMs};
}

double EchoGuard::return_loss_db() const noexcept {
    return delay_ms() < 0 ? 0 : double{loss_db_[delay_]};
}

void EchoGuard::take_sent() noexcept {
    const std::uint64_t written = ring_.written();
    if (written > taken_ + kSent) taken_ = written - kSent;
    for (; taken_ < written; ++taken_) {
        const model::LevelRing::Level level = ring_.at(taken_);
        sent_[taken_ % kSent] = {level.left_ms, std::max(level.level_cdb / 100.0, -127.0)};
    }
}

void EchoGuard::look_back(std::int64_t at_ms) noexcept {
    // Each frame is in force until the next one left, two frames at most.
    std::uint64_t number = taken_;
    const std::uint64_t oldest = taken_ > kSent ? taken_ - kSent : 0;
    for (std::size_t lag = 0; lag < kLags; ++lag) {
        const std::int64_t then_ms = at_ms - static_cast<std::int64_t>(lag * kFrameMs);
        while (number > oldest && sent_[(number - 1) % kSent].left_ms > then_ms) --number;
        double level = double{kQuietDbov};
        if (number > oldest) {
            const Level& sent = sent_[(number - 1) % kSent];
            if (then_ms - sent.left_ms < 2 * static_cast<std::int64_t>(kFrameMs)) level = sent.dbov;
        }
        before_[lag] = std::max(static_cast<float>(level), kQuietDbov);
    }
}

void EchoGuard::compare(double heard_dbov) noexcept {
    compared_ = std::min(compared_ + 1, kMemoryFrames);
    const float weight = 1 / compared_;
    const auto heard = static_cast<float>(heard_dbov);
    mean_heard_ += weight * (heard - mean_heard_);
    square_heard_ += weight * (heard * heard - square_heard_);
    for (std::size_t lag = 0; lag < kLags; ++lag) {
        const float sent = before_[lag];
        mean_sent_[lag] += weight * (sent - mean_sent_[lag]);
        square_sent_[lag] += weight * (sent * sent - square_sent_[lag]);
        product_[lag] += weight * (sent * heard - product_[lag]);
    }
}

void EchoGuard::find_delay() noexcept {
    const float spread_heard = square_heard_ - mean_heard_ * mean_heard_;
    std::size_t best = 0;
    for (std::size_t lag = 0; lag < kLags; ++lag) {
        const float spread_sent = square_sent_[lag] - mean_sent_[lag] * mean_sent_[lag];
        const float both = product_[lag] - mean_sent_[lag] * mean_heard_;
        likeness_[lag] = both / std::sqrt(std::max(spread_sent * spread_heard, 1.0F));
        if (likeness_[lag] > likeness_[best]) best = lag;
    }
    if (compared_ < kFewestFrames || spread_heard < kLeastSpreadDb * kLeastSpreadDb) {
        delay_ = kNone;
    } else if (likeness_[best] >= kAlike) {
        // A neighbour that is as good is the same echo.
        if (delay_ == kNone || likeness_[best] > likeness_[delay_] + 0.02F) delay_ = best;
    } else if (delay_ != kNone && likeness_[delay_] < kStillAlike) {
        delay_ = kNone;
    }
}

void EchoGuard::learn(double heard_dbov, bool is_caller) noexcept {
    // A median by small steps: up where the echo was quieter than thought, down where it was louder.
    const bool is_echo = delay_ != kNone && likeness_[delay_] >= kVeryAlike;
    const auto heard = static_cast<float>(heard_dbov);
    for (std::size_t lag = 0; lag < kLags; ++lag) {
        if (before_[lag] < kLoudDbov) continue;
        learned_[lag] += 1;
        const float steady = is_caller && !is_echo ? kCautiousStepDb : kStepDb;
        const float step =
            is_caller ? steady : std::max(steady, kFirstStepDb / (1 + learned_[lag] / 25));
        const float loss = before_[lag] - heard;
        loss_db_[lag] =
            std::clamp(loss_db_[lag] + (loss > loss_db_[lag] ? step : -step), 0.0F, kMostLossDb);
    }
}

double EchoGuard::bound() const noexcept {
    float loudest = kQuietDbov;
    for (std::size_t lag = 0; lag < kLags; ++lag) {
        const bool is_other = delay_ != kNone && (lag + 1 < delay_ || lag > delay_ + 1);
        const float loss = delay_ == kNone ? loss_db_[lag]
                           : is_other      ? loss_db_[lag] + kOthersDb
                                           : loss_db_[delay_];
        loudest = std::max(loudest, before_[lag] - loss);
    }
    return double{loudest} + kMarginDb;
}

}  // namespace offhook::ai
