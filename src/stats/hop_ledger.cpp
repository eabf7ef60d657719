#include "stats/hop_ledger.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string>
#include <utility>

#include "model/codec.h"

namespace offhook::stats {
namespace {

using model::AiState;
using model::CallInfo;
using model::Hop;
using model::HopFigures;
using model::HopLedger;
using model::HopState;
using model::LegStats;

double ms_of(std::uint64_t samples, std::uint32_t rate_hz) {
    return rate_hz == 0 ? 0 : static_cast<double>(samples) * 1000 / rate_hz;
}
std::uint64_t frames_of(double ms) {
    return static_cast<std::uint64_t>(std::max(0.0, ms) / model::kPtimeMs);
}
bool is_within(double since_ms, double limit_ms) {
    return since_ms >= 0 && since_ms < limit_ms;
}
std::string ago(double since_ms, const std::string& never) {
    return since_ms < 0 ? never : fmt::format("the last came {:.1f} s ago", since_ms / 1000);
}

/// Judges the hops of one call, each by itself and by the one before it.
class Judge {
public:
    Judge(const CallInfo& call, std::int64_t now_ns)
        : call_(call),
          s_(call.stats),
          is_over_(call.ended_ns != 0),
          now_ns_(is_over_ ? call.ended_ns : now_ns) {}

    HopLedger ledger() {
        for (std::size_t i = 0; i < model::kHops; ++i) ledger_.hops[i].hop = static_cast<Hop>(i);
        count();
        if (call_.answered_ns == 0) {
            for (HopFigures& hop : ledger_.hops) idle(hop, "the call is not answered");
            return std::move(ledger_);
        }
        judge_caller();
        judge_accepted();
        judge_decoded();
        judge_handed();
        judge_taken();
        judge_queued();
        judge_encoded();
        judge_sent();
        judge_acknowledged();
        const auto broken =
            std::find_if(ledger_.hops.begin(), ledger_.hops.end(), [](const HopFigures& hop) {
                return hop.state == HopState::Broken;
            });
        if (broken != ledger_.hops.end()) ledger_.broken = broken->hop;
        return std::move(ledger_);
    }

private:
    HopFigures& at(Hop hop) { return ledger_.hops[static_cast<std::size_t>(hop)]; }
    static void set(HopFigures& hop, HopState state, std::string detail = {}) {
        hop.state = state;
        hop.detail = std::move(detail);
    }
    static void ok(HopFigures& hop) { set(hop, HopState::Ok); }
    static void idle(HopFigures& hop, std::string why) { set(hop, HopState::Idle, std::move(why)); }
    /// Broken, unless sound has not had the time to begin.
    void broken(HopFigures& hop, std::string why) {
        const bool is_early = age_ms() < hop_limit::kBeginMs;
        set(hop, is_early ? HopState::Unknown : HopState::Broken, std::move(why));
    }
    bool is_ok(Hop hop) { return at(hop).state == HopState::Ok; }

    [[nodiscard]] double ms_since(std::int64_t at_ns) const {
        return at_ns == 0 ? -1 : static_cast<double>(now_ns_ - at_ns) / 1e6;
    }
    /// How long sound may flow already.
    [[nodiscard]] double age_ms() const {
        const double age = ms_since(call_.answered_ns);
        return call_.leg == model::LegKind::Web ? age - std::max(0.0, call_.web.connect_ms) : age;
    }

    void count() {
        const std::uint32_t rate_hz = s_.sample_rate_hz;
        const bool is_seated = !call_.channel.empty();
        const bool is_bot = call_.bot.state != AiState::None &&
                            call_.bot.state != AiState::BuiltIn &&
                            call_.bot.figures.attempts + call_.bot.figures.connections > 0;
        // A stock decoder is seen by what comes out of it.
        const bool is_stock = s_.decoded_packets == 0 && s_.undecodable_packets == 0;
        const std::uint64_t decoded_samples = is_stock ? s_.tapped_samples : s_.decoded_samples;
        const double decoded_ms = ms_of(decoded_samples, rate_hz);
        const double packet_ms = s_.decoded_packets == 0
                                     ? model::kPtimeMs
                                     : decoded_ms / static_cast<double>(s_.decoded_packets);
        const auto put = [this](Hop hop, std::uint64_t packets, double ms, double since_ms) {
            HopFigures& figures = at(hop);
            figures.packets = packets;
            figures.ms = ms;
            figures.since_last_ms = since_ms;
        };
        put(Hop::CallerRtpIn,
            s_.arrived_packets,
            static_cast<double>(s_.arrived_packets) * packet_ms,
            s_.since_last_arrived_ms);
        put(Hop::Accepted,
            s_.received_packets,
            static_cast<double>(s_.received_packets) * packet_ms,
            s_.since_last_received_ms);
        put(Hop::Decoded,
            is_stock ? frames_of(decoded_ms) : s_.decoded_packets,
            decoded_ms,
            is_stock ? s_.since_last_tapped_ms : s_.since_last_decoded_ms);
        const model::AiFigures& ai = call_.bot.figures;
        if (is_bot) {
            put(Hop::HandedToAi, ai.sent_frames, ai.sent_ms, ai.since_last_sent_ms);
        } else if (!is_seated) {
            const double heard_ms = ms_of(
                s_.heard_samples - std::min(s_.heard_samples, s_.tap_dropped_samples), rate_hz);
            put(Hop::HandedToAi, frames_of(heard_ms), heard_ms, s_.since_last_heard_ms);
        }
        const double queued_ms = ms_of(s_.given_samples, rate_hz);
        const double given_ms = is_bot ? ai.given_ms : queued_ms;
        put(Hop::TakenFromAi, frames_of(given_ms), given_ms, s_.since_last_given_ms);
        put(Hop::Queued, frames_of(queued_ms), queued_ms, s_.since_last_given_ms);
        put(Hop::Encoded,
            s_.encoded_frames,
            static_cast<double>(s_.encoded_frames) * model::kPtimeMs,
            s_.since_last_encoded_ms);
        put(Hop::Sent,
            s_.sent_packets,
            static_cast<double>(s_.sent_packets) * model::kPtimeMs,
            s_.since_last_sent_ms);
        const std::uint64_t acknowledged =
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, s_.acknowledged_packets));
        put(Hop::Acknowledged,
            std::min(acknowledged, s_.sent_packets),
            static_cast<double>(std::min(acknowledged, s_.sent_packets)) * model::kPtimeMs,
            s_.since_last_acknowledged_ms);
    }

    /// Why nobody waits for the caller's sound; empty: it is due.
    [[nodiscard]] std::string why_not_due() const {
        if (call_.is_held_by_us) return "we hold the call";
        if (call_.is_held_by_peer) return "the peer holds the call";
        if (!call_.is_sound_expected) return "the peer said that it sends nothing";
        if (!has_transport()) return "ICE and DTLS are not up";
        return {};
    }
    [[nodiscard]] bool has_transport() const {
        return call_.leg != model::LegKind::Web || call_.web.connect_ms >= 0;
    }
    [[nodiscard]] bool is_pause(double since_ms) const {
        const double heard_ms =
            s_.since_last_rtcp_ms < 0 ? since_ms : std::min(since_ms, s_.since_last_rtcp_ms);
        return s_.is_paused && is_within(heard_ms, hop_limit::kPausedMs);
    }

    void judge_caller() {
        HopFigures& hop = at(Hop::CallerRtpIn);
        if (is_within(s_.since_last_arrived_ms, hop_limit::kCallerMs)) return ok(hop);
        if (auto why = why_not_due(); !why.empty()) return idle(hop, std::move(why));
        if (is_pause(s_.since_last_arrived_ms))
            return idle(hop, "the caller's side pauses and said so (comfort noise, DTX)");
        broken(hop, ago(s_.since_last_arrived_ms, "no packet came"));
    }

    void judge_accepted() {
        HopFigures& hop = at(Hop::Accepted);
        if (is_within(s_.since_last_received_ms, hop_limit::kCallerMs)) return ok(hop);
        if (!is_ok(Hop::CallerRtpIn)) return idle(hop, "nothing comes in");
        const std::uint64_t malformed =
            s_.refused_packets - std::min(s_.refused_packets,
                                          s_.refused_types + s_.refused_sources + s_.refused_ssrcs +
                                              s_.undecodable_packets);
        std::string why = ago(s_.since_last_received_ms, "no packet was accepted");
        const auto add = [&why](std::uint64_t packets, const std::string& what) {
            if (packets > 0) why += fmt::format(", {} {}", packets, what);
        };
        add(s_.srtp_auth_failures, "under another SRTP key");
        add(s_.srtp_replays, "sent twice");
        add(s_.refused_types, fmt::format("of payload type {}", s_.last_refused_type));
        add(s_.refused_sources, "of another address");
        add(s_.refused_ssrcs, "of another SSRC");
        add(malformed, "that are no RTP");
        broken(hop, std::move(why));
    }

    void judge_decoded() {
        HopFigures& hop = at(Hop::Decoded);
        if (is_within(hop.since_last_ms, hop_limit::kInsideMs)) return ok(hop);
        if (!is_ok(Hop::Accepted)) return idle(hop, "nothing is accepted");
        if (s_.is_paused) return idle(hop, "the caller's side pauses");
        if (hop.since_last_ms < 0 && !call_.channel.empty() && s_.decoded_packets == 0)
            return set(hop, HopState::Unknown, "a stock decoder's sound goes to the channel");
        std::string why = ago(hop.since_last_ms, "nothing was decoded");
        if (s_.undecodable_packets > 0)
            why +=
                fmt::format(", {} packets are no sound of {}", s_.undecodable_packets, call_.codec);
        if (s_.late_packets > 0) why += fmt::format(", {} came too late", s_.late_packets);
        broken(hop, std::move(why));
    }

    /// The AI is not there: why it neither hears nor speaks. Empty: it is.
    [[nodiscard]] std::pair<HopState, std::string> absence() const {
        if (!call_.channel.empty())
            return {HopState::Idle, "the call is in the channel " + call_.channel};
        const model::AiInfo& bot = call_.bot;
        const bool is_bot_over = is_over_ && bot.state == AiState::Ended;
        if (bot.state == AiState::None) return {HopState::Idle, "the call has no AI"};
        if (bot.state == AiState::BuiltIn || bot.state == AiState::Live) return {};
        if (is_bot_over && bot.figures.lost_ms < 0 && bot.figures.connections > 0) return {};
        std::string why =
            call_.ai + (bot.figures.connections == 0 ? " was never reached" : " is not connected");
        if (!bot.reason.empty()) why += ": " + bot.reason;
        const double for_ms = is_bot_over ? bot.figures.lost_ms : ms_since(bot.since_ns);
        const bool is_the_end = call_.end && call_.end->reason == model::EndReason::AiLost;
        const bool is_early = !is_the_end && for_ms >= 0 && for_ms < hop_limit::kAiMs;
        return {is_early ? HopState::Unknown : HopState::Broken, std::move(why)};
    }

    void judge_handed() {
        HopFigures& hop = at(Hop::HandedToAi);
        if (auto [state, why] = absence(); !why.empty()) return set(hop, state, std::move(why));
        if (is_within(hop.since_last_ms, hop_limit::kInsideMs)) return ok(hop);
        const bool is_tapped = is_within(s_.since_last_tapped_ms, hop_limit::kInsideMs);
        if (!is_tapped && !is_ok(Hop::Decoded)) return idle(hop, "there is no sound to hand over");
        if (!is_tapped)
            return broken(hop, "an element of pipeline " + call_.pipeline + " keeps the sound");
        std::string why = ago(hop.since_last_ms, "the AI took nothing");
        const model::AiFigures& ai = call_.bot.figures;
        if (ai.unsent_frames > 0)
            why += fmt::format(", its socket did not take {} frames", ai.unsent_frames);
        if (s_.tap_dropped_samples > 0)
            why += fmt::format(", {:.0f} ms were lost",
                               ms_of(s_.tap_dropped_samples, s_.sample_rate_hz));
        broken(hop, std::move(why));
    }

    void judge_taken() {
        HopFigures& hop = at(Hop::TakenFromAi);
        if (auto [state, why] = absence(); !why.empty())
            return idle(hop, state == HopState::Idle ? why : "the AI is not there");
        if (is_within(hop.since_last_ms, hop_limit::kInsideMs)) return ok(hop);
        if (hop.ms > 0) return idle(hop, "the AI says nothing just now");
        const model::AiFigures& ai = call_.bot.figures;
        if (call_.bot.state == AiState::BuiltIn) return idle(hop, "the AI has said nothing");
        if (ai.bad_messages > 0)
            return broken(hop,
                          fmt::format("{} messages of it cannot be read, and there was no sound",
                                      ai.bad_messages));
        const double live_ms = ms_since(call_.bot.since_ns);
        if (live_ms >= hop_limit::kAiSilentMs && ai.sent_ms >= hop_limit::kInsideMs)
            return broken(hop, fmt::format("it has said nothing in {:.0f} s", live_ms / 1000));
        idle(hop, "the AI has said nothing yet");
    }

    void judge_queued() {
        HopFigures& hop = at(Hop::Queued);
        if (!call_.channel.empty()) return idle(hop, "the channel's mixer has it");
        const double waiting_ms = ms_of(s_.voice_queued_samples, s_.sample_rate_hz);
        if (s_.voice_queued_samples == 0) {
            if (is_within(hop.since_last_ms, hop_limit::kInsideMs)) return ok(hop);
            return idle(hop, "nothing waits");
        }
        const std::string waits = fmt::format("{:.0f} ms wait", waiting_ms);
        if (s_.is_voice_muted) return idle(hop, waits + ", the AI is muted: we hold the call");
        if (s_.is_voice_paused) return idle(hop, waits + ", paused while the caller speaks");
        if (call_.is_held_by_peer) return idle(hop, waits + ", the peer holds the call");
        if (!has_transport()) return idle(hop, waits + ", ICE and DTLS are not up");
        const double lost_ms = call_.bot.figures.overflowed_ms;
        if (lost_ms >= hop_limit::kOverflowMs && is_within(hop.since_last_ms, hop_limit::kInsideMs))
            return broken(hop, waits + fmt::format(", and {:.0f} ms found no room", lost_ms));
        if (is_within(s_.since_last_voice_left_ms, hop_limit::kInsideMs) ||
            is_within(hop.since_last_ms, hop_limit::kInsideMs))
            return ok(hop);
        broken(hop, waits + ", and none of it leaves");
    }

    void judge_encoded() {
        HopFigures& hop = at(Hop::Encoded);
        if (is_within(hop.since_last_ms, hop_limit::kLineMs)) return ok(hop);
        broken(hop, ago(hop.since_last_ms, "the line made no frame"));
    }

    void judge_sent() {
        HopFigures& hop = at(Hop::Sent);
        if (is_within(hop.since_last_ms, hop_limit::kLineMs)) return ok(hop);
        if (call_.is_held_by_peer || (is_over_ && !call_.is_sound_expected))
            return idle(hop, "the peer holds the call");
        if (!is_ok(Hop::Encoded)) return idle(hop, "there is no frame to send");
        if (call_.leg == model::LegKind::Web && !call_.web.is_connected) {
            const double age = ms_since(call_.answered_ns);
            const std::string why =
                call_.web.connect_ms < 0 ? "ICE and DTLS did not come up" : "ICE and DTLS are gone";
            return set(
                hop, age < 2 * hop_limit::kBeginMs ? HopState::Unknown : HopState::Broken, why);
        }
        std::string why = hop.since_last_ms < 0
                              ? "nothing was sent"
                              : fmt::format("the last left {:.1f} s ago", hop.since_last_ms / 1000);
        if (s_.send_errors > 0)
            why += fmt::format(", the kernel refused {} packets", s_.send_errors);
        broken(hop, std::move(why));
    }

    void judge_acknowledged() {
        HopFigures& hop = at(Hop::Acknowledged);
        if (!is_ok(Hop::Sent)) return idle(hop, "nothing is sent");
        if (s_.rtcp_received == 0 && s_.acknowledged_packets < 0)
            return set(hop, HopState::Unknown, "the far end sends no RTCP");
        if (s_.sent_packets < hop_limit::kUnacknowledged)
            return set(hop, HopState::Unknown, "too early to tell");
        if (s_.acknowledged_packets < 0) {
            const std::string why = "its RTCP reports nothing of ours";
            const bool is_late = age_ms() >= hop_limit::kUnreportedMs;
            return is_late ? broken(hop, why) : set(hop, HopState::Unknown, why);
        }
        if (!is_within(hop.since_last_ms, hop_limit::kReportMs)) {
            const std::string why =
                fmt::format("its reports stand still for {:.0f} s", hop.since_last_ms / 1000);
            const bool is_reporting = is_within(s_.since_last_rtcp_ms, hop_limit::kReportMs);
            return is_reporting ? broken(hop, why) : set(hop, HopState::Unknown, why);
        }
        // What was sent when it reported: the last report may be a while ago.
        const double sent = std::max(
            1.0, static_cast<double>(s_.sent_packets) - hop.since_last_ms / model::kPtimeMs);
        if (static_cast<double>(hop.packets) < hop_limit::kAcknowledgedShare * sent)
            return broken(hop, fmt::format("the far end has {} of {} packets", hop.packets, sent));
        ok(hop);
    }

    const CallInfo& call_;
    const LegStats& s_;
    const bool is_over_;
    const std::int64_t now_ns_;
    HopLedger ledger_;
};

}  // namespace

HopLedger hops_of(const CallInfo& call, std::int64_t now_ns) {
    return Judge(call, now_ns).ledger();
}

}  // namespace offhook::stats
