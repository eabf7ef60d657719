#include "diagnosis/diagnose.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "diagnosis/rule.h"

namespace offhook::diagnosis {
namespace {

using model::AiState;
using model::CallInfo;
using model::ChannelInfo;
using model::EndReason;
using model::LegStats;
using model::MemberInfo;
using model::MemberState;

constexpr double kFrameSamples = 320;

// The connection.

Seen ice_failed(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::IceFailed, EndReason::WebTimeout})) return seen;
    if (!facts.call || facts.call->leg != model::LegKind::Web || !is_live(*facts.call))
        return std::nullopt;
    const CallInfo& call = *facts.call;
    const double age_ms =
        ms_since(facts, call.answered_ns != 0 ? call.answered_ns : call.created_ns);
    if (call.web.is_connected || call.web.connect_ms >= 0 || age_ms < limit::kConnectMs)
        return std::nullopt;
    return "not connected after " + in_seconds(age_ms);
}

Seen dtls_failed(const Facts& facts) {
    return ended_by(facts, {EndReason::DtlsFailed});
}

Seen fingerprint_mismatch(const Facts& facts) {
    return ended_by(facts, {EndReason::FingerprintMismatch});
}

Seen no_leg(const Facts& facts) {
    if (!facts.member || facts.call || !facts.member->call.empty() ||
        facts.member->kind == model::MemberKind::Ai || facts.member->state == MemberState::Away)
        return std::nullopt;
    const double age_ms = ms_since(facts, facts.member->joined_ns);
    if (age_ms < limit::kNoLegMs) return std::nullopt;
    return "it joined " + in_seconds(age_ms) + " ago and has sent no offer that was taken";
}

Seen signalling_lost(const Facts& facts) {
    if (!facts.member || facts.member->state != MemberState::Away) return std::nullopt;
    return "the member is away";
}

// The packets.

Seen nothing_sent(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow || !sends_nothing(*flow)) return std::nullopt;
    if (flow->stats.sent_packets == 0) return "no packet sent in " + in_seconds(flow->length_ms);
    return count(flow->stats.sent_packets, "packets sent, the last ") +
           in_seconds(flow->stats.since_last_sent_ms) + " ago";
}

Seen nothing_received(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::PeerVanished, EndReason::RtpTimeout})) return seen;
    if (facts.call && facts.call->web.is_lost && is_live(*facts.call))
        return "nothing at all is heard of the other end";
    const auto flow = flow_of(facts);
    if (!flow || !receives_nothing(facts, *flow)) return std::nullopt;
    return what_came(*flow);
}

Seen one_way(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::Diverted})) return seen;
    const auto flow = flow_of(facts);
    if (!flow) return std::nullopt;
    const LegStats& stats = flow->stats;
    if (sends_nothing(*flow) != receives_nothing(facts, *flow))
        return count(stats.sent_packets, "packets sent, ") + what_came(*flow);
    // By the other end's own report: nearly all of it is lost there.
    constexpr double kNearlyAll = 0.9;
    const auto lost = static_cast<double>(stats.remote_lost_packets);
    if (stats.sent_packets < limit::kPackets || stats.rtcp_received == 0 ||
        lost < kNearlyAll * static_cast<double>(stats.sent_packets))
        return std::nullopt;
    return Evidence(count(stats.sent_packets, "packets sent, of which the other end misses ") +
                        std::to_string(stats.remote_lost_packets),
                    "acknowledged");
}

Seen loss(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow) return std::nullopt;
    const LegStats& stats = flow->stats;
    const double here = share(stats.lost_packets, stats.received_packets);
    const bool is_here =
        stats.received_packets + stats.lost_packets >= limit::kPackets && here > limit::kLossShare;
    const double there = stats.sent_packets < limit::kPackets
                             ? 0
                             : static_cast<double>(stats.remote_lost_packets) /
                                   static_cast<double>(stats.sent_packets);
    if (!is_here && there <= limit::kLossShare) return std::nullopt;
    return Evidence("lost on the way here " + percent(here) + ", on the way there " +
                        percent(std::max(there, 0.0)) + " of the whole call",
                    is_here ? "caller-rtp-in" : "acknowledged");
}

Seen jitter(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow) return std::nullopt;
    const double here = flow->stats.jitter_ms, there = flow->stats.remote_jitter_ms;
    if (here <= limit::kJitterMs && there <= limit::kJitterMs) return std::nullopt;
    return Evidence(in_ms(here) + " on the way here" +
                        (there < 0 ? std::string() : ", " + in_ms(there) + " on the way there"),
                    here > limit::kJitterMs ? "caller-rtp-in" : "acknowledged");
}

Seen round_trip_high(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow || flow->stats.round_trip_ms <= limit::kRoundTripMs) return std::nullopt;
    return in_ms(flow->stats.round_trip_ms) + " to the other end and back";
}

// The sound.

Seen concealment(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow || flow->stats.received_packets < limit::kPackets || flow->stats.sample_rate_hz == 0)
        return std::nullopt;
    const double made_up_ms =
        static_cast<double>(flow->stats.concealed_samples) * 1000 / flow->stats.sample_rate_hz;
    if (made_up_ms / flow->length_ms <= limit::kConcealedShare) return std::nullopt;
    return percent(made_up_ms / flow->length_ms) + " of what came was made up (" +
           in_seconds(made_up_ms) + ")";
}

bool is_muted(const Facts& facts) {
    return facts.member && facts.member->is_muted;
}

Seen source_silent(const Facts& facts) {
    const auto flow = flow_of(facts);
    if (!flow || !flow->is_live || is_muted(facts) || receives_nothing(facts, *flow) ||
        flow->stats.is_paused || flow->stats.received_packets < limit::kPackets ||
        flow->stats.received_level_dbov > limit::kDigitalSilenceDbov)
        return std::nullopt;
    return count(flow->stats.received_packets, "packets came, and at this moment there is ") +
           fmt::format("{:.0f} dBov in them", flow->stats.received_level_dbov);
}

Seen clipping(const Facts& facts) {
    if (!facts.member || facts.member->sound.heard_frames < limit::kFrames) return std::nullopt;
    const model::MemberSound& sound = facts.member->sound;
    const double clipped = static_cast<double>(sound.clipped_samples) /
                           (static_cast<double>(sound.heard_frames) * kFrameSamples);
    if (clipped <= limit::kClippedShare) return std::nullopt;
    return fmt::format("{:.2f} % of its samples are at full scale, peak {:.1f} dBov",
                       clipped * 100,
                       sound.peak_dbov);
}

Seen muted_by_self(const Facts& facts) {
    if (!is_muted(facts) || facts.member->is_muted_by_operator) return std::nullopt;
    return "the member said so";
}

Seen muted_by_operator(const Facts& facts) {
    if (!facts.member || !facts.member->is_muted_by_operator) return std::nullopt;
    return "by the API";
}

// The mixer.

Seen frames(std::uint64_t bad, std::uint64_t good, const char* what) {
    if (bad + good < limit::kFrames || share(bad, good) <= limit::kFrameShare) return std::nullopt;
    return std::to_string(bad) + " of " + std::to_string(bad + good) + " frames of 20 ms " + what +
           " (" + percent(share(bad, good)) + ")";
}

Seen mixer_starved(const Facts& facts) {
    if (!facts.member) return std::nullopt;
    const model::MemberSound& sound = facts.member->sound;
    return frames(sound.missing_frames, sound.heard_frames, "were not there in time");
}

Seen mixer_late(const Facts& facts) {
    if (!facts.channel) return std::nullopt;
    const std::uint64_t late = facts.channel->late_frames, all = facts.channel->mixed_frames;
    return frames(late, all > late ? all - late : 0, "were mixed late");
}

Seen clock_drift(const Facts& facts) {
    if (!facts.member) return std::nullopt;
    const model::MemberSound& sound = facts.member->sound;
    return frames(sound.dropped_frames, sound.heard_frames, "were too many and left out");
}

// Who is there.

Seen alone(const Facts& facts) {
    if (!facts.channel || !facts.member || facts.channel->members.size() != 1) return std::nullopt;
    return "no other member in " + facts.channel->name;
}

Seen peer_lost(const Facts& facts) {
    if (!facts.channel || !facts.member) return std::nullopt;
    std::string away;
    for (const MemberInfo& other : facts.channel->members) {
        if (other.id == facts.member->id || other.state != MemberState::Away) continue;
        away += (away.empty() ? "away: " : ", ") + (other.name.empty() ? other.id : other.name);
    }
    if (away.empty()) return std::nullopt;
    return away;
}

// The AI.

Seen channel_without_ai(const Facts& facts) {
    if (!facts.channel || facts.channel->ai.empty()) return std::nullopt;
    const ChannelInfo& channel = *facts.channel;
    const auto ai =
        std::find_if(channel.members.begin(), channel.members.end(), [](const MemberInfo& member) {
            return member.kind == model::MemberKind::Ai;
        });
    if (ai != channel.members.end()) {
        const double age_ms = ms_since(facts, ai->joined_ns);
        if (ai->state == MemberState::Connected || age_ms < limit::kAiMs) return std::nullopt;
        return channel.ai + " joined " + in_seconds(age_ms) + " ago and is " +
               std::string(name_of(ai->state));
    }
    // It comes with the first that has sound.
    const bool is_due =
        std::any_of(channel.members.begin(), channel.members.end(), [&](const MemberInfo& member) {
            return member.state == MemberState::Connected &&
                   ms_since(facts, member.joined_ns) >= limit::kAiMs;
        });
    if (!is_due) return std::nullopt;
    return channel.ai + " is not among the members";
}

Seen ai_not_connected(const Facts& facts) {
    if (auto seen = ended_by(facts, {EndReason::AiLost})) return seen;
    if (auto seen = channel_without_ai(facts)) return seen;
    if (!facts.call || facts.call->ai.empty() || facts.call->answered_ns == 0 ||
        !is_live(*facts.call))
        return std::nullopt;
    const model::AiInfo& bot = facts.call->bot;
    const double for_ms = ms_since(facts, bot.since_ns);
    const bool is_away = bot.state == AiState::Connecting || bot.state == AiState::Lost ||
                         bot.state == AiState::Ended;
    if (!is_away || for_ms < limit::kAiMs) return std::nullopt;
    std::string seen = facts.call->ai + " is " + std::string(name_of(bot.state)) + " for " +
                       in_seconds(for_ms) + " after " + count(bot.figures.attempts, "attempts");
    if (!bot.reason.empty()) seen += ": " + bot.reason;
    return seen;
}

Seen ai_silent(const Facts& facts) {
    if (!facts.call || !is_live(*facts.call)) return std::nullopt;
    const model::AiInfo& bot = facts.call->bot;
    const double live_ms = ms_since(facts, bot.since_ns);
    if (bot.state != AiState::Live || live_ms < limit::kAiSilentMs || bot.figures.given_ms > 0 ||
        bot.figures.sent_frames < limit::kPackets)
        return std::nullopt;
    return facts.call->ai + " was sent " + count(bot.figures.sent_frames, "frames in ") +
           in_seconds(live_ms) + " and sent nothing back";
}

Seen ai_slow(const Facts& facts) {
    if (!facts.call) return std::nullopt;
    const std::uint64_t holes = facts.call->stats.voice_underruns;
    const double played_ms = facts.call->bot.figures.played_ms;
    if (holes < limit::kAiHoles || played_ms <= 0 ||
        played_ms / static_cast<double>(holes) > limit::kAiHoleEveryMs)
        return std::nullopt;
    return count(holes, "holes in ") + in_seconds(played_ms) + " of speech";
}

constexpr std::array kRules{Rule{"no-leg", no_leg, of_nothing},
                            Rule{"ice-failed", ice_failed, of_web},
                            Rule{"dtls-failed", dtls_failed, of_web},
                            Rule{"fingerprint-mismatch", fingerprint_mismatch, of_web},
                            Rule{"signalling-lost", signalling_lost, of_nothing},
                            Rule{"nothing-sent", nothing_sent, of_outbound},
                            Rule{"nothing-received", nothing_received, of_inbound},
                            Rule{"one-way", one_way, of_both},
                            Rule{"ai-not-connected", ai_not_connected, of_ai},
                            Rule{"ai-silent", ai_silent, of_ai},
                            Rule{"ai-slow", ai_slow, of_voice},
                            Rule{"muted-by-operator", muted_by_operator, of_nothing},
                            Rule{"source-silent", source_silent, of_inbound},
                            Rule{"clipping", clipping, of_member},
                            Rule{"loss", loss, of_both},
                            Rule{"jitter", jitter, of_both},
                            Rule{"round-trip-high", round_trip_high, of_outbound},
                            Rule{"concealment", concealment, of_inbound},
                            Rule{"mixer-starved", mixer_starved, of_member},
                            Rule{"mixer-late", mixer_late, of_member},
                            Rule{"clock-drift", clock_drift, of_member},
                            Rule{"peer-lost", peer_lost, of_nothing},
                            Rule{"muted-by-self", muted_by_self, of_nothing},
                            Rule{"alone", alone, of_nothing}};

void judge(const Rule& rule, const Facts& facts, std::vector<Finding>& found) {
    Seen seen = rule.see(facts);
    if (!seen) return;
    const auto table = known_findings();
    const auto known = std::find_if(
        table.begin(), table.end(), [&](const Known& each) { return each.code == rule.code; });
    if (known == table.end()) return;
    const std::string_view hop = seen->hop.empty() ? known->hop : seen->hop;
    found.push_back({*known, std::move(seen->text), hop, rule.figures(facts)});
}

}  // namespace

std::string_view name_of(Severity severity) noexcept {
    switch (severity) {
        case Severity::Error:
            return "error";
        case Severity::Warning:
            return "warning";
        case Severity::Info:
            break;
    }
    return "info";
}

std::vector<Finding> diagnose(const Facts& facts) {
    std::vector<Finding> found;
    for (const Rule& rule : hop_rules()) judge(rule, facts, found);
    for (const Rule& rule : kRules) judge(rule, facts, found);
    std::stable_sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) {
        return a.known.severity < b.known.severity;
    });
    return found;
}

}  // namespace offhook::diagnosis
