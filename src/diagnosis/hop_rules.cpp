// What breaks a hop of a call, each with a code of its own: the caller's packets, the AI, the line.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <string>

#include "diagnosis/rule.h"

namespace offhook::diagnosis {
namespace {

using model::AiState;
using model::CallInfo;
using model::EndReason;
using model::LegStats;

// The caller's packets.

/// Sound of the caller is due.
std::optional<Flow> due(const Facts& facts) {
    auto flow = flow_of(facts);
    return flow && facts.call->is_sound_expected ? flow : std::nullopt;
}

/// Packets come, and none was accepted for a while, or ever.
std::optional<Flow> refusing(const Facts& facts) {
    auto flow = due(facts);
    if (!flow || !flow->is_live) return std::nullopt;
    const LegStats& s = flow->stats;
    const bool comes = s.since_last_arrived_ms >= 0 && s.since_last_arrived_ms < limit::kCallerMs;
    const bool is_taken =
        s.since_last_received_ms >= 0 && s.since_last_received_ms < limit::kCallerMs;
    return comes && !is_taken ? flow : std::nullopt;
}

/// How many packets were refused for one reason, when that may be why nothing is accepted.
Seen refused(const Facts& facts, std::uint64_t LegStats::*packets, const std::string& what) {
    const auto flow = refusing(facts);
    if (!flow || flow->stats.*packets < limit::kRefused) return std::nullopt;
    return std::to_string(flow->stats.*packets) + " packets " + what + ", " + what_came(*flow);
}

Seen no_caller_rtp(const Facts& facts) {
    const auto flow = due(facts);
    if (!flow || flow->stats.arrived_packets + flow->stats.received_packets > 0)
        return std::nullopt;
    return "not one packet in " + in_seconds(flow->length_ms);
}

Seen rtp_stopped(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::RtpTimeout})) return seen;
    const auto flow = due(facts);
    if (!flow || !flow->is_live || flow->stats.is_paused || flow->stats.received_packets == 0 ||
        flow->stats.since_last_arrived_ms < limit::kCallerMs)
        return std::nullopt;
    return what_came(*flow);
}

Seen rtp_wrong_source(const Facts& facts) {
    return refused(facts, &LegStats::refused_sources, "of another address or port");
}

Seen rtp_wrong_ssrc(const Facts& facts) {
    return refused(facts, &LegStats::refused_ssrcs, "under other SSRCs");
}

Seen rtp_wrong_payload(const Facts& facts) {
    const int type = facts.call ? facts.call->stats.last_refused_type : -1;
    return refused(facts, &LegStats::refused_types, fmt::format("of payload type {}", type));
}

Seen rtp_malformed(const Facts& facts) {
    const auto flow = refusing(facts);
    if (!flow) return std::nullopt;
    const LegStats& s = flow->stats;
    const std::uint64_t known =
        s.refused_types + s.refused_sources + s.refused_ssrcs + s.undecodable_packets;
    if (s.refused_packets < known + limit::kRefused) return std::nullopt;
    return count(s.refused_packets - known, "datagrams that are no RTP, ") + what_came(*flow);
}

Seen srtp_wrong_key(const Facts& facts) {
    return refused(facts, &LegStats::srtp_auth_failures, "under another key");
}

Seen rtp_undecodable(const Facts& facts) {
    const auto flow = due(facts);
    if (!flow) return std::nullopt;
    const LegStats& s = flow->stats;
    if (s.undecodable_packets < limit::kRefused || s.undecodable_packets < s.decoded_packets)
        return std::nullopt;
    return count(s.undecodable_packets, "packets are no sound of ") + facts.call->codec + ", " +
           std::to_string(s.decoded_packets) + " are";
}

Seen late(const Facts& facts) {
    const auto flow = due(facts);
    if (!flow) return std::nullopt;
    const LegStats& s = flow->stats;
    if (s.received_packets < limit::kPackets) return std::nullopt;
    const double share_late =
        static_cast<double>(s.late_packets) / static_cast<double>(s.received_packets);
    if (share_late <= limit::kLateShare) return std::nullopt;
    return count(s.late_packets, "of ") + count(s.received_packets, "packets came too late (") +
           percent(share_late) + ")";
}

Seen pipeline_keeps_sound(const Facts& facts) {
    const auto flow = due(facts);
    if (!flow || !facts.call->channel.empty() || facts.call->ai.empty()) return std::nullopt;
    const LegStats& s = flow->stats;
    if (s.decoded_packets < limit::kPackets || s.tapped_samples * 2 >= s.decoded_samples)
        return std::nullopt;
    return count(s.decoded_samples, "samples were decoded, of which ") +
           std::to_string(s.tapped_samples) + " came to the tap";
}

Seen pipeline_error(const Facts& facts) {
    return ended_by(facts, {EndReason::PipelineError});
}

Seen far_end_lost(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::PeerVanished})) return seen;
    if (!facts.call || !facts.call->web.is_lost || !is_live(*facts.call)) return std::nullopt;
    return "nothing is heard of the other end, neither sound nor ICE";
}

// The AI.

/// Of a bot that is away, by the word of its last loss.
Seen away(const Facts& facts, std::initializer_list<std::string_view> words) {
    if (!facts.call) return std::nullopt;
    const CallInfo& call = *facts.call;
    const model::AiInfo& bot = call.bot;
    const bool is_word =
        std::find(words.begin(), words.end(), bot.figures.last_loss) != words.end();
    if (!is_word) return std::nullopt;
    if (auto seen = ended_by(facts, {EndReason::AiLost})) return seen;
    const bool is_away = bot.state == AiState::Connecting || bot.state == AiState::Lost;
    const double for_ms = ms_since(facts, bot.since_ns);
    if (!is_live(call) || !is_away || for_ms < limit::kAiMs) return std::nullopt;
    std::string seen = call.ai + " is away for " + in_seconds(for_ms) + ", " +
                       bot.figures.last_loss + " after " + count(bot.figures.attempts, "attempts");
    if (!bot.reason.empty()) seen += ": " + bot.reason;
    return seen;
}

Seen ai_refused(const Facts& facts) {
    return away(facts, {"refused"});
}
Seen ai_unreachable(const Facts& facts) {
    return away(facts, {"unreachable", "unresolved"});
}
Seen ai_untrusted(const Facts& facts) {
    return away(facts, {"untrusted"});
}
Seen ai_not_allowed(const Facts& facts) {
    return away(facts, {"not-allowed"});
}
Seen ai_hung(const Facts& facts) {
    return away(facts, {"timeout", "silent", "slow"});
}
Seen ai_wrong_protocol(const Facts& facts) {
    return away(facts, {"bad-handshake", "protocol"});
}
Seen ai_lost(const Facts& facts) {
    return away(facts, {"reset", "closed-by-peer"});
}

const model::AiFigures* live_ai(const Facts& facts) {
    const bool is_there = facts.call && is_live(*facts.call) && facts.call->channel.empty() &&
                          facts.call->bot.state == AiState::Live;
    return is_there ? &facts.call->bot.figures : nullptr;
}

Seen ai_takes_nothing(const Facts& facts) {
    const model::AiFigures* ai = live_ai(facts);
    if (!ai || ai->unsent_frames < limit::kPackets ||
        share(ai->unsent_frames, ai->sent_frames) <= limit::kFrameShare)
        return std::nullopt;
    return count(ai->unsent_frames, "of ") +
           count(ai->unsent_frames + ai->sent_frames, "frames were not taken by its socket");
}

Seen tap_full(const Facts& facts) {
    if (!facts.call || !facts.call->channel.empty()) return std::nullopt;
    const LegStats& s = facts.call->stats;
    const double dropped = static_cast<double>(s.tap_dropped_samples);
    const double all = static_cast<double>(s.tapped_samples);
    if (s.sample_rate_hz == 0 || all <= 0 || dropped <= limit::kFrameShare * all)
        return std::nullopt;
    return in_ms(dropped * 1000 / s.sample_rate_hz) + " of the caller's sound were lost (" +
           percent(dropped / all) + ")";
}

Seen ai_garbage(const Facts& facts) {
    if (!facts.call || facts.call->bot.figures.bad_messages < limit::kBadMessages)
        return std::nullopt;
    const model::AiFigures& ai = facts.call->bot.figures;
    return count(ai.bad_messages, "messages cannot be read, beside ") + in_seconds(ai.given_ms) +
           " of sound";
}

Seen ai_wrong_format(const Facts& facts) {
    if (!live_ai(facts)) return std::nullopt;
    const LegStats& s = facts.call->stats;
    if (s.last_source != model::FrameSource::Ai || s.sent_level_dbov <= limit::kNoiseDbov)
        return std::nullopt;
    return fmt::format("the last second of its sound has {:.1f} dBov", s.sent_level_dbov);
}

Seen ai_overflow(const Facts& facts) {
    if (!facts.call) return std::nullopt;
    const model::AiFigures& ai = facts.call->bot.figures;
    if (ai.overflowed_ms < limit::kOverflowMs) return std::nullopt;
    return in_seconds(ai.overflowed_ms) + " of " + in_seconds(ai.given_ms) +
           " of its sound found no room";
}

Seen ai_paused(const Facts& facts) {
    if (!live_ai(facts)) return std::nullopt;
    const LegStats& s = facts.call->stats;
    if (!s.is_voice_paused || s.voice_queued_samples == 0 ||
        s.since_last_voice_left_ms < limit::kPausedMs)
        return std::nullopt;
    return in_ms(static_cast<double>(s.voice_queued_samples) * 1000 / s.sample_rate_hz) +
           " of its sound wait for " + in_seconds(s.since_last_voice_left_ms);
}

Seen ai_muted_by_hold(const Facts& facts) {
    if (!live_ai(facts) || !facts.call->is_held_by_us || !facts.call->stats.is_voice_muted)
        return std::nullopt;
    return "what the AI says is dropped until the call is resumed";
}

// The line.

Seen held_by_us(const Facts& facts) {
    if (!facts.call || !is_live(*facts.call) || !facts.call->is_held_by_us) return std::nullopt;
    return "by the API or the AI";
}

Seen held_by_peer(const Facts& facts) {
    if (!facts.call || !is_live(*facts.call) || !facts.call->is_held_by_peer) return std::nullopt;
    return count(facts.call->stats.held_frames, "frames were not sent since it asked for nothing");
}

Seen worker_late(const Facts& facts) {
    const bool is_late = facts.worker && facts.worker->tick_p99_ms > limit::kTickMs;
    const std::uint64_t skipped = facts.call ? facts.call->stats.skipped_frames : 0;
    if (!is_late && skipped == 0) return std::nullopt;
    std::string seen = count(skipped, "frames given up after stalls");
    if (facts.worker)
        seen += fmt::format(", the tick is late by {:.1f} ms at p99", facts.worker->tick_p99_ms);
    return seen;
}

Seen rtp_gap(const Facts& facts) {
    if (!facts.call || facts.call->stats.max_gap_ms <= facts.gap_limit_ms) return std::nullopt;
    return "the longest was " + in_ms(facts.call->stats.max_gap_ms) + ", " +
           in_ms(facts.gap_limit_ms) + " are the limit";
}

Seen send_errors(const Facts& facts) {
    if (!facts.call) return std::nullopt;
    const LegStats& s = facts.call->stats;
    if (s.send_errors < limit::kRefused ||
        share(s.send_errors, s.sent_packets) <= limit::kFrameShare)
        return std::nullopt;
    return count(s.send_errors, "of ") +
           count(s.send_errors + s.sent_packets, "packets were not taken by the kernel");
}

Seen not_acknowledged(const Facts& facts) {
    if (!facts.hops) return std::nullopt;
    const model::HopFigures& hop =
        facts.hops->hops[static_cast<std::size_t>(model::Hop::Acknowledged)];
    if (hop.state != model::HopState::Broken) return std::nullopt;
    return hop.detail;
}

constexpr std::array kHopRules{Rule{"far-end-lost", far_end_lost, of_web},
                               Rule{"pipeline-error", pipeline_error, of_inbound},
                               Rule{"no-caller-rtp", no_caller_rtp, of_inbound},
                               Rule{"rtp-stopped", rtp_stopped, of_inbound},
                               Rule{"srtp-wrong-key", srtp_wrong_key, of_inbound},
                               Rule{"rtp-wrong-payload", rtp_wrong_payload, of_inbound},
                               Rule{"rtp-wrong-ssrc", rtp_wrong_ssrc, of_inbound},
                               Rule{"rtp-wrong-source", rtp_wrong_source, of_inbound},
                               Rule{"rtp-malformed", rtp_malformed, of_inbound},
                               Rule{"rtp-undecodable", rtp_undecodable, of_inbound},
                               Rule{"pipeline-keeps-sound", pipeline_keeps_sound, of_ai},
                               Rule{"ai-refused", ai_refused, of_ai},
                               Rule{"ai-unreachable", ai_unreachable, of_ai},
                               Rule{"ai-untrusted", ai_untrusted, of_ai},
                               Rule{"ai-not-allowed", ai_not_allowed, of_ai},
                               Rule{"ai-hung", ai_hung, of_ai},
                               Rule{"ai-wrong-protocol", ai_wrong_protocol, of_ai},
                               Rule{"ai-lost", ai_lost, of_ai},
                               Rule{"ai-takes-nothing", ai_takes_nothing, of_ai},
                               Rule{"send-errors", send_errors, of_outbound},
                               Rule{"not-acknowledged", not_acknowledged, of_outbound},
                               Rule{"late", late, of_inbound},
                               Rule{"tap-full", tap_full, of_ai},
                               Rule{"ai-garbage", ai_garbage, of_ai},
                               Rule{"ai-wrong-format", ai_wrong_format, of_voice},
                               Rule{"ai-overflow", ai_overflow, of_voice},
                               Rule{"worker-late", worker_late, of_outbound},
                               Rule{"rtp-gap", rtp_gap, of_outbound},
                               Rule{"ai-paused", ai_paused, of_voice},
                               Rule{"ai-muted-by-hold", ai_muted_by_hold, of_voice},
                               Rule{"held-by-us", held_by_us, of_outbound},
                               Rule{"held-by-peer", held_by_peer, of_outbound}};

}  // namespace

std::span<const Rule> hop_rules() noexcept {
    return kHopRules;
}

}  // namespace offhook::diagnosis
