#include "model/ai_info.h"

#include <algorithm>

namespace offhook::model {

AiFigures figures_of(const AiStats& stats, std::int64_t now_ns) {
    const auto get = [](const auto& cell) { return cell.load(std::memory_order_relaxed); };
    AiFigures f;
    f.connections = get(stats.connections);
    f.attempts = get(stats.attempts);
    f.losses = get(stats.losses);
    if (const char* word = get(stats.last_loss)) f.last_loss = word;
    if (const std::int64_t since_ns = get(stats.lost_since_ns); since_ns != 0)
        f.lost_ms = std::max(0.0, static_cast<double>(now_ns - since_ns) / 1e6);
    f.last_gap_ms = get(stats.last_gap_ms);
    f.sent_frames = get(stats.sent_frames);
    f.unsent_frames = get(stats.unsent_frames);
    const auto since_ms = [now_ns](std::int64_t then_ns) {
        return then_ns == 0 ? -1.0 : std::max(0.0, static_cast<double>(now_ns - then_ns) / 1e6);
    };
    f.sent_ms = get(stats.sent_ms);
    f.since_last_sent_ms = since_ms(get(stats.last_sent_ns));
    f.received_messages = get(stats.link_received_messages);
    f.link_queued_bytes = get(stats.link_queued_bytes);
    f.since_last_heard_ms = since_ms(get(stats.link_heard_ns));
    f.replayed_ms = get(stats.replayed_ms);
    f.given_ms = get(stats.given_ms);
    f.played_ms = get(stats.played_ms);
    f.cleared_ms = get(stats.cleared_ms);
    f.overflowed_ms = get(stats.overflowed_ms);
    f.queued_ms = get(stats.queued_ms);
    f.marks = get(stats.marks);
    f.barge_ins = get(stats.barge_ins);
    f.taken_back_barge_ins = get(stats.taken_back_barge_ins);
    f.verbs = get(stats.verbs);
    f.refused_verbs = get(stats.refused_verbs);
    f.bad_messages = get(stats.bad_messages);
    f.caller_to_socket_ms = get(stats.caller_to_socket_ms);
    f.socket_to_wire_ms = get(stats.socket_to_wire_ms);
    f.round_trip_ms = get(stats.round_trip_ms);
    f.turns = get(stats.turns);
    f.turn_ms = get(stats.turn_ms);
    f.turn_network_ms = get(stats.turn_network_ms);
    f.turn_bot_ms = get(stats.turn_bot_ms);
    f.turn_playout_ms = get(stats.turn_playout_ms);
    f.echo_delay_ms = get(stats.echo_delay_ms);
    f.echo_return_loss_db = get(stats.echo_return_loss_db);
    return f;
}

}  // namespace offhook::model
