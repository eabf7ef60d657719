#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ai/latency.h"
#include "model/ai_stats.h"

namespace offhook::ai {

/// Where the time goes on the way through a call's AI: into the call's AiStats and the process'
/// histograms. All times are CLOCK_MONOTONIC in ns.
///
///     caller's last speech tapped -> sent to the bot ... the bot's first sound received -> left
///     |<--------- network ------->|<---- bot ---->|<- network ->|<------ playout ----->|
///
/// A round trip is known from pings only; a half of it counts on each way, so that network, bot and
/// playout add up to the turn. What a bot says without having been spoken to (a greeting) is no turn.
/// @thread the ai thread
class TurnClock {
public:
    TurnClock(model::AiStats& stats, Latencies& latencies) noexcept
        : stats_(stats), latencies_(latencies) {}

    /// A frame of the caller's was given to the socket, and taken. @param tapped_ns of its last
    /// sample
    void frame_sent(std::int64_t tapped_ns, std::int64_t sent_ns) noexcept;
    /// As CallerSpeech tells it. @param heard_ns  of the first or the last of the speech
    void on_speech(bool is_speaking, std::int64_t heard_ns) noexcept;
    /// The bot's sound came. @param was_empty  nothing of the bot's was queued before it
    void sound_received(bool was_empty, std::int64_t received_ns) noexcept;
    /// The first sample after silence of the bot's has left (Playout::Events::on_started).
    void sound_left(std::int64_t left_ns) noexcept;
    /// Of a ping. @param round_trip_ns  below 0: not known any more
    void set_round_trip(std::int64_t round_trip_ns) noexcept;
    /// What the caller said was not meant for the bot (a barge-in taken back), or there is another
    /// bot: what leaves next is no answer.
    void forget() noexcept;

private:
    struct Sent {
        std::int64_t tapped_ns = 0;
        std::int64_t sent_ns = 0;
    };
    struct Answer {
        std::int64_t received_ns = 0;
        std::int64_t left_ns = 0;
    };
    /// More than the time after which a detector says that speech has ended.
    static constexpr std::size_t kSent = 128;

    [[nodiscard]] std::int64_t sent_ns_of(std::int64_t tapped_ns) const noexcept;
    void finish(const Answer& answer) noexcept;

    model::AiStats& stats_;
    Latencies& latencies_;
    std::array<Sent, kSent> sent_{};
    std::size_t sent_count_ = 0;
    std::int64_t round_trip_ns_ = -1;
    bool is_speaking_ = false;
    std::int64_t received_ns_ = 0;           ///< of the sound that plays next; 0: none
    std::optional<std::int64_t> spoken_ns_;  ///< the caller's last speech, not answered yet
    std::optional<Answer> early_;  ///< left while, by the detector, the caller still spoke
};

}  // namespace offhook::ai
