#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/ai_stats.h"

namespace offhook::model {

/// What AiStats counted, at one moment. Milliseconds; -1: not known.
struct AiFigures {
    std::uint64_t connections = 0, attempts = 0, losses = 0;
    std::string last_loss{};  ///< word for why the last connection went; empty: none did
    double lost_ms = -1;      ///< since when it is gone; -1: it is not
    double last_gap_ms = -1;
    std::uint64_t sent_frames = 0, unsent_frames = 0;
    double sent_ms = 0, since_last_sent_ms = -1;
    std::uint64_t received_messages = 0, link_queued_bytes = 0;  ///< of the newest connection
    double since_last_heard_ms = -1;                             ///< since anything came on it
    double replayed_ms = 0;
    double given_ms = 0, played_ms = 0, cleared_ms = 0, overflowed_ms = 0, queued_ms = 0;
    std::uint64_t marks = 0, barge_ins = 0, taken_back_barge_ins = 0;
    std::uint64_t verbs = 0, refused_verbs = 0;
    std::uint64_t bad_messages = 0;
    double caller_to_socket_ms = -1, socket_to_wire_ms = -1, round_trip_ms = -1;
    std::uint64_t turns = 0;
    double turn_ms = -1, turn_network_ms = -1, turn_bot_ms = -1, turn_playout_ms = -1;
    double echo_delay_ms = -1, echo_return_loss_db = 0;
};
/// @param now_ns CLOCK_MONOTONIC @thread any
[[nodiscard]] AiFigures figures_of(const AiStats& stats, std::int64_t now_ns);

/// How long something took, of all calls: a histogram at one moment.
struct LatencyReading {
    std::string step{};                    ///< "turn", "caller-to-socket" ...
    std::vector<double> bounds_s{};        ///< inclusive, rising
    std::vector<std::uint64_t> buckets{};  ///< not cumulative, one more than bounds
    double sum_s = 0;
};

/// The AI of a call as the outside sees it. Strings from the network are escaped already.
struct AiInfo {
    std::string protocol{};    ///< word of the configuration; empty: there is none yet
    std::string where{};       ///< "host:port" of the bot; empty: built in, or it comes to us
    std::string media_path{};  ///< where it may come to, while it is awaited
    AiState state = AiState::None;
    std::int64_t since_ns = 0;  ///< CLOCK_REALTIME, of `state`
    std::string reason{};       ///< a sentence: how it came to `state`
    AiFigures figures{};
};

}  // namespace offhook::model
