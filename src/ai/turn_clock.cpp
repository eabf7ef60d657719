#include "ai/turn_clock.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

double ms(std::int64_t ns) noexcept {
    return static_cast<double>(ns) / static_cast<double>(base::kNsPerMs);
}

template <class T>
void set(std::atomic<T>& cell, T value) noexcept {
    cell.store(value, std::memory_order_relaxed);
}

}  // namespace

void TurnClock::frame_sent(std::int64_t tapped_ns, std::int64_t sent_ns) noexcept {
    sent_[sent_count_++ % kSent] = {tapped_ns, sent_ns};
    const std::int64_t took_ns = std::max<std::int64_t>(sent_ns - tapped_ns, 0);
    latencies_.caller_to_socket.add_ns(took_ns);
    const double before_ms = stats_.caller_to_socket_ms.load(std::memory_order_relaxed);
    // A second's worth of frames: what one late frame took is for the histogram.
    constexpr double kWeight = 1.0 / 50;
    set(stats_.caller_to_socket_ms,
        before_ms < 0 ? ms(took_ns) : before_ms + (ms(took_ns) - before_ms) * kWeight);
}

void TurnClock::on_speech(bool is_speaking, std::int64_t heard_ns) noexcept {
    is_speaking_ = is_speaking;
    if (is_speaking) {
        spoken_ns_.reset();  // whatever was said before is part of what is being said
        return;
    }
    spoken_ns_ = heard_ns;
    // A quick bot answers before the detector is sure of the end. One that spoke into the caller's
    // words did not answer them.
    if (early_ && early_->received_ns > heard_ns) finish(*early_);
    early_.reset();
}

void TurnClock::sound_received(bool was_empty, std::int64_t received_ns) noexcept {
    if (was_empty) received_ns_ = received_ns;
}

void TurnClock::sound_left(std::int64_t left_ns) noexcept {
    if (received_ns_ == 0) return;  // what resumes after a pause is not new
    const Answer answer{received_ns_, left_ns};
    received_ns_ = 0;
    const std::int64_t playout_ns = std::max<std::int64_t>(left_ns - answer.received_ns, 0);
    latencies_.socket_to_wire.add_ns(playout_ns);
    set(stats_.socket_to_wire_ms, ms(playout_ns));
    if (is_speaking_) {
        if (!early_) early_ = answer;
    } else if (spoken_ns_ && answer.received_ns > *spoken_ns_) {
        finish(answer);
    }
}

void TurnClock::set_round_trip(std::int64_t round_trip_ns) noexcept {
    round_trip_ns_ = round_trip_ns;
    set(stats_.round_trip_ms, round_trip_ns < 0 ? -1.0 : ms(round_trip_ns));
}

void TurnClock::forget() noexcept {
    spoken_ns_.reset();
    early_.reset();
}

std::int64_t TurnClock::sent_ns_of(std::int64_t tapped_ns) const noexcept {
    // The oldest frame that ends there or later holds it.
    const std::size_t known = std::min(sent_count_, kSent);
    std::int64_t found_ns = -1;
    for (std::size_t back = 1; back <= known; ++back) {
        const Sent& sent = sent_[(sent_count_ - back) % kSent];
        if (sent.tapped_ns < tapped_ns) break;
        found_ns = sent.sent_ns;
    }
    return found_ns < 0 ? tapped_ns : found_ns;
}

void TurnClock::finish(const Answer& answer) noexcept {
    const std::int64_t spoken_ns = *spoken_ns_;
    spoken_ns_.reset();
    const std::int64_t turn_ns = answer.left_ns - spoken_ns;
    const std::int64_t playout_ns =
        std::clamp<std::int64_t>(answer.left_ns - answer.received_ns, 0, turn_ns);
    const std::int64_t rest_ns = turn_ns - playout_ns;
    // A ping may have taken longer than the answer.
    const std::int64_t network_ns = std::clamp<std::int64_t>(
        sent_ns_of(spoken_ns) - spoken_ns + std::max<std::int64_t>(round_trip_ns_, 0), 0, rest_ns);
    const std::int64_t bot_ns = rest_ns - network_ns;

    latencies_.turn.add_ns(turn_ns);
    latencies_.turn_network.add_ns(network_ns);
    latencies_.turn_bot.add_ns(bot_ns);
    latencies_.turn_playout.add_ns(playout_ns);
    set(stats_.turn_ms, ms(turn_ns));
    set(stats_.turn_network_ms, ms(network_ns));
    set(stats_.turn_bot_ms, ms(bot_ns));
    set(stats_.turn_playout_ms, ms(playout_ns));
    set(stats_.turns, stats_.turns.load(std::memory_order_relaxed) + 1);
}

}  // namespace offhook::ai
