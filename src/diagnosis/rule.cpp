#include "diagnosis/rule.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace offhook::diagnosis {

using model::CallInfo;
using model::EndReason;
using model::LegStats;

namespace {

constexpr double kNsPerMs = 1e6;

void add_inbound(Figures& to, const LegStats& s) {
    const auto add = [&to](std::string_view name, auto value) {
        to.emplace_back(name, static_cast<double>(value));
    };
    add("arrived_packets", s.arrived_packets);
    add("received_packets", s.received_packets);
    add("since_last_received_ms", s.since_last_received_ms);
    add("refused_packets", s.refused_packets);
    add("refused_sources", s.refused_sources);
    add("refused_ssrcs", s.refused_ssrcs);
    add("refused_types", s.refused_types);
    add("last_refused_type", s.last_refused_type);
    add("srtp_auth_failures", s.srtp_auth_failures);
    add("undecodable_packets", s.undecodable_packets);
    add("lost_packets", s.lost_packets);
    add("late_packets", s.late_packets);
    add("concealed_samples", s.concealed_samples);
    add("jitter_ms", s.jitter_ms);
    add("received_level_dbov", s.received_level_dbov);
}

void add_outbound(Figures& to, const LegStats& s) {
    const auto add = [&to](std::string_view name, auto value) {
        to.emplace_back(name, static_cast<double>(value));
    };
    add("encoded_frames", s.encoded_frames);
    add("sent_packets", s.sent_packets);
    add("since_last_sent_ms", s.since_last_sent_ms);
    add("send_errors", s.send_errors);
    add("skipped_frames", s.skipped_frames);
    add("held_frames", s.held_frames);
    add("max_gap_ms", s.max_gap_ms);
    add("acknowledged_packets", s.acknowledged_packets);
    add("rtcp_received", s.rtcp_received);
    add("remote_lost_packets", s.remote_lost_packets);
    add("remote_jitter_ms", s.remote_jitter_ms);
    add("round_trip_ms", s.round_trip_ms);
}

}  // namespace

std::string percent(double share) {
    return fmt::format("{:.1f} %", share * 100);
}
std::string in_seconds(double ms) {
    return fmt::format("{:.1f} s", ms / 1000);
}
std::string in_ms(double ms) {
    return fmt::format("{:.0f} ms", ms);
}
std::string count(std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what;
}

double share(std::uint64_t part, std::uint64_t rest) {
    const std::uint64_t whole = part + rest;
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double ms_since(const Facts& facts, std::int64_t at_ns) {
    return at_ns == 0 ? -1 : static_cast<double>(facts.now_ns - at_ns) / kNsPerMs;
}

Seen ended_by(const Facts& facts, std::initializer_list<EndReason> reasons) {
    if (!facts.call || !facts.call->end) return std::nullopt;
    const model::CallEnd& end = *facts.call->end;
    if (std::find(reasons.begin(), reasons.end(), end.reason) == reasons.end()) return std::nullopt;
    std::string seen = "the call ended: " + std::string(name_of(end.reason));
    if (!end.detail.empty()) seen += ", " + end.detail;
    return seen;
}

bool is_live(const CallInfo& call) {
    return call.ended_ns == 0 && !call.end;
}

std::optional<Flow> flow_of(const Facts& facts) {
    if (!facts.call || facts.call->answered_ns == 0) return std::nullopt;
    const CallInfo& call = *facts.call;
    if (call.is_held_by_us || call.is_held_by_peer || call.state == model::CallState::Held)
        return std::nullopt;
    const std::int64_t until_ns = call.ended_ns != 0 ? call.ended_ns : facts.now_ns;
    double length_ms = static_cast<double>(until_ns - call.answered_ns) / kNsPerMs;
    if (call.leg == model::LegKind::Web) {
        if (call.web.connect_ms < 0) return std::nullopt;
        length_ms -= call.web.connect_ms;
    }
    if (length_ms < limit::kFlowMs) return std::nullopt;
    return Flow{call.stats, length_ms, is_live(call)};
}

bool receives_nothing(const Facts& facts, const Flow& flow) {
    return flow.stats.received_packets == 0 || (flow.is_live && facts.call->is_oneway);
}

bool sends_nothing(const Flow& flow) {
    return flow.stats.sent_packets == 0 ||
           (flow.is_live && flow.stats.since_last_sent_ms >= limit::kStoppedMs);
}

std::string what_came(const Flow& flow) {
    std::string seen = flow.stats.received_packets == 0
                           ? "no packet"
                           : count(flow.stats.received_packets, "packets");
    seen += " received in " + in_seconds(flow.length_ms);
    if (flow.stats.received_packets > 0 && flow.stats.since_last_received_ms >= 0)
        seen += ", the last " + in_seconds(flow.stats.since_last_received_ms) + " ago";
    return seen;
}

Figures of_nothing(const Facts& /*facts*/) {
    return {};
}

Figures of_inbound(const Facts& facts) {
    Figures figures;
    if (facts.call) add_inbound(figures, facts.call->stats);
    return figures;
}

Figures of_outbound(const Facts& facts) {
    Figures figures;
    if (facts.call) add_outbound(figures, facts.call->stats);
    if (facts.worker) figures.emplace_back("tick_p99_ms", facts.worker->tick_p99_ms);
    return figures;
}

Figures of_both(const Facts& facts) {
    Figures figures;
    if (!facts.call) return figures;
    add_inbound(figures, facts.call->stats);
    add_outbound(figures, facts.call->stats);
    return figures;
}

Figures of_ai(const Facts& facts) {
    if (!facts.call) return {};
    const model::AiFigures& ai = facts.call->bot.figures;
    return {{"attempts", static_cast<double>(ai.attempts)},
            {"connections", static_cast<double>(ai.connections)},
            {"losses", static_cast<double>(ai.losses)},
            {"lost_ms", ai.lost_ms},
            {"sent_frames", static_cast<double>(ai.sent_frames)},
            {"unsent_frames", static_cast<double>(ai.unsent_frames)},
            {"since_last_sent_ms", ai.since_last_sent_ms},
            {"given_ms", ai.given_ms},
            {"bad_messages", static_cast<double>(ai.bad_messages)},
            {"link_queued_bytes", static_cast<double>(ai.link_queued_bytes)},
            {"tapped_samples", static_cast<double>(facts.call->stats.tapped_samples)},
            {"tap_dropped_samples", static_cast<double>(facts.call->stats.tap_dropped_samples)}};
}

Figures of_voice(const Facts& facts) {
    if (!facts.call) return {};
    const model::AiFigures& ai = facts.call->bot.figures;
    const LegStats& s = facts.call->stats;
    return {{"given_ms", ai.given_ms},
            {"played_ms", ai.played_ms},
            {"cleared_ms", ai.cleared_ms},
            {"overflowed_ms", ai.overflowed_ms},
            {"queued_ms", ai.queued_ms},
            {"voice_underruns", static_cast<double>(s.voice_underruns)},
            {"voice_dropped_samples", static_cast<double>(s.voice_dropped_samples)},
            {"barge_ins", static_cast<double>(ai.barge_ins)},
            {"sent_level_dbov", s.sent_level_dbov}};
}

Figures of_web(const Facts& facts) {
    if (!facts.call) return {};
    const model::WebInfo& web = facts.call->web;
    return {{"connect_ms", web.connect_ms},
            {"restarts", static_cast<double>(web.restarts)},
            {"losses", static_cast<double>(web.losses)}};
}

Figures of_member(const Facts& facts) {
    Figures figures;
    if (facts.member) {
        const model::MemberSound& sound = facts.member->sound;
        figures = {{"heard_frames", static_cast<double>(sound.heard_frames)},
                   {"missing_frames", static_cast<double>(sound.missing_frames)},
                   {"dropped_frames", static_cast<double>(sound.dropped_frames)},
                   {"clipped_samples", static_cast<double>(sound.clipped_samples)},
                   {"peak_dbov", sound.peak_dbov}};
    }
    if (facts.channel) {
        figures.emplace_back("mixed_frames", static_cast<double>(facts.channel->mixed_frames));
        figures.emplace_back("late_frames", static_cast<double>(facts.channel->late_frames));
    }
    return figures;
}

}  // namespace offhook::diagnosis
