#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace offhook::model {

/// How a call's AI fares. BuiltIn: echo and the like, nothing can go wrong.
enum class AiState : std::uint8_t { None, BuiltIn, Connecting, Live, Lost, Ended };
[[nodiscard]] std::string_view name_of(AiState state) noexcept;

/// What a call's AI did so far. Written by the ai thread only (relaxed), read by anybody (relaxed).
/// Milliseconds of sound; -1: not known.
struct AiStats {
    template <class T>
    using Cell = std::atomic<T>;

    Cell<AiState> state{AiState::None};
    Cell<std::uint64_t> connections{0};  ///< that came up
    Cell<std::uint64_t> attempts{0};
    Cell<std::uint64_t> losses{0};
    /// Why the last connection went, or did not come up: a literal, as `socket::name_of(Why)` gives;
    /// null: not yet.
    Cell<const char*> last_loss{nullptr};
    Cell<std::int64_t> lost_since_ns{0};  ///< CLOCK_MONOTONIC; 0: it is not
    Cell<double> last_gap_ms{-1};

    /// What went over its socket, the one that is up or was last; looked at every 100 ms.
    Cell<std::uint64_t> link_sent_messages{0}, link_sent_bytes{0};
    Cell<std::uint64_t> link_received_messages{0}, link_received_bytes{0};
    Cell<std::uint64_t> link_queued_bytes{0};
    Cell<std::int64_t> link_heard_ns{0};  ///< CLOCK_MONOTONIC; 0: nothing was heard

    // sound
    Cell<std::uint64_t> sent_frames{0};
    Cell<double> sent_ms{0};               ///< in those, and when the last of them went
    Cell<std::int64_t> last_sent_ns{0};    ///< CLOCK_MONOTONIC; 0: none did
    Cell<std::uint64_t> unsent_frames{0};  ///< the link did not take them
    Cell<double> replayed_ms{0};
    Cell<double> given_ms{0}, played_ms{0}, cleared_ms{0}, overflowed_ms{0}, queued_ms{0};
    Cell<std::uint64_t> marks{0}, barge_ins{0}, taken_back_barge_ins{0};
    Cell<std::uint64_t> verbs{0}, refused_verbs{0};
    Cell<std::uint64_t> bad_messages{0};

    // time
    Cell<double> caller_to_socket_ms{-1}, socket_to_wire_ms{-1}, round_trip_ms{-1};
    Cell<std::uint64_t> turns{0};
    Cell<double> turn_ms{-1}, turn_network_ms{-1}, turn_bot_ms{-1}, turn_playout_ms{-1};
    Cell<double> echo_delay_ms{-1}, echo_return_loss_db{0};
};

}  // namespace offhook::model
