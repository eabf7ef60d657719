// Each rule at its threshold, and just below it.
#include "diagnosis/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace offhook::diagnosis {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;
constexpr std::int64_t ms(double value) {
    return static_cast<std::int64_t>(value * 1e6);
}

/// A call of a minute in a channel of two, with which all is well.
Facts healthy() {
    model::CallInfo call;
    call.id.text = "c-0123456789ab";
    call.state = model::CallState::Answered;
    call.leg = model::LegKind::Web;
    call.created_ns = call.answered_ns = kNow - ms(60'500);
    call.web = {.is_connected = true, .connect_ms = 500};
    call.ai = "helper";
    call.bot.state = model::AiState::Live;
    call.bot.since_ns = kNow - ms(60'000);
    call.bot.figures.given_ms = call.bot.figures.played_ms = 20'000;
    call.bot.figures.sent_frames = 3'000;
    model::LegStats& stats = call.stats;
    stats.sent_packets = stats.received_packets = stats.arrived_packets = 3'000;
    stats.since_last_arrived_ms = 10;
    stats.decoded_packets = 3'000;
    stats.decoded_samples = stats.tapped_samples = 960'000;
    stats.since_last_sent_ms = stats.since_last_received_ms = 10;
    stats.received_level_dbov = -30;
    stats.sample_rate_hz = 16'000;
    stats.rtcp_received = 10;
    stats.jitter_ms = 5;
    stats.remote_jitter_ms = 5;
    stats.round_trip_ms = 40;

    model::MemberInfo member;
    member.id = "m-1";
    member.state = model::MemberState::Connected;
    member.name = "Anna";
    member.call = call.id;
    member.joined_ns = kNow - ms(61'000);
    member.sound.heard_frames = 3'000;
    model::MemberInfo other = member;
    other.id = "m-2";
    other.name = "Bert";
    model::MemberInfo ai = member;
    ai.id = "m-3";
    ai.kind = model::MemberKind::Ai;
    model::ChannelInfo channel;
    channel.name = "ward";
    channel.ai = "helper";
    channel.mixed_frames = 3'000;
    channel.members = {member, other, ai};
    return {.now_ns = kNow, .call = call, .member = member, .channel = channel};
}

std::vector<std::string> codes(const Facts& facts) {
    std::vector<std::string> codes;
    for (const Finding& finding : diagnose(facts)) {
        codes.emplace_back(finding.known.code);
        EXPECT_GT(finding.evidence.size(), 3U) << finding.known.code;
        EXPECT_EQ(finding.hop.empty() || !finding.figures.empty(), true) << finding.known.code;
    }
    return codes;
}

struct Case {
    std::string code;
    std::string evidence;  ///< a part of it
    std::function<void(Facts&)> fault, almost;
};

model::LegStats& stats(Facts& facts) {
    return facts.call->stats;
}
void end(Facts& facts, model::EndReason reason) {
    facts.call->state = model::CallState::Ended;
    facts.call->ended_ns = kNow;
    facts.call->end = model::ended(reason, "12 checks");
}
std::function<void(Facts&)> end_by(model::EndReason reason) {
    return [reason](Facts& facts) { end(facts, reason); };
}
const auto kHungUp = end_by(model::EndReason::CallerHangup);

/// Packets come, and none is taken.
void refuse_all(Facts& f) {
    stats(f).received_packets = 0;
    stats(f).since_last_received_ms = -1;
}
void lose_ai(Facts& f, const char* word, double for_ms) {
    f.call->bot.state = model::AiState::Lost;
    f.call->bot.since_ns = kNow - ms(for_ms);
    f.call->bot.figures.attempts = 3;
    f.call->bot.figures.last_loss = word;
    f.call->bot.reason = "why";
}
Case lost_ai(const char* code, const char* word) {
    return {code,
            std::string("helper is away for 2.5 s, ") + word + " after 3 attempts: why",
            [word](Facts& f) { lose_ai(f, word, 2'500); },
            [word](Facts& f) { lose_ai(f, word, 2'499); }};
}
void leave_channel(Facts& f) {
    f.call->channel.clear();
}

const std::vector<Case>& cases() {
    static const std::vector<Case> cases{
        {"no-leg",
         "10.0 s ago",
         [](Facts& f) {
             f.call.reset();
             f.member->call = {};
             f.member->state = model::MemberState::Joining;
             f.member->joined_ns = kNow - ms(10'000);
         },
         [](Facts& f) {
             f.call.reset();
             f.member->call = {};
             f.member->state = model::MemberState::Joining;
             f.member->joined_ns = kNow - ms(9'999);
         }},
        {"ice-failed", "ice-failed, 12 checks", end_by(model::EndReason::IceFailed), kHungUp},
        {"ice-failed", "web-timeout", end_by(model::EndReason::WebTimeout), kHungUp},
        {"ice-failed",
         "not connected after 5.0 s",
         [](Facts& f) {
             f.call->web = {};
             f.call->answered_ns = kNow - ms(5'000);
         },
         [](Facts& f) {
             f.call->web = {};
             f.call->answered_ns = kNow - ms(4'999);
         }},
        {"dtls-failed", "12 checks", end_by(model::EndReason::DtlsFailed), kHungUp},
        {"fingerprint-mismatch",
         "12 checks",
         end_by(model::EndReason::FingerprintMismatch),
         kHungUp},
        {"signalling-lost",
         "away",
         [](Facts& f) { f.member->state = model::MemberState::Away; },
         [](Facts& f) { f.member->state = model::MemberState::Connected; }},
        {"nothing-sent",
         "no packet sent in 2.5 s",
         [](Facts& f) {
             f.call->answered_ns = kNow - ms(3'000);
             stats(f).sent_packets = 0;
         },
         [](Facts& f) {
             f.call->answered_ns = kNow - ms(2'999);
             stats(f).sent_packets = 0;
         }},
        {"nothing-sent",
         "the last 1.0 s ago",
         [](Facts& f) { stats(f).since_last_sent_ms = 1'000; },
         [](Facts& f) { stats(f).since_last_sent_ms = 999; }},
        {"nothing-received",
         "no packet received in 2.5 s",
         [](Facts& f) {
             f.call->answered_ns = kNow - ms(3'000);
             stats(f).received_packets = 0;
         },
         [](Facts& f) {
             f.call->answered_ns = kNow - ms(2'999);
             stats(f).received_packets = 0;
         }},
        {"nothing-received",
         "nothing at all",
         [](Facts& f) { f.call->web.is_lost = true; },
         [](Facts& f) { f.call->web.is_lost = false; }},
        {"nothing-received", "peer-vanished", end_by(model::EndReason::PeerVanished), kHungUp},
        {"nothing-received", "rtp-timeout", end_by(model::EndReason::RtpTimeout), kHungUp},
        {"one-way",
         "no packet received",
         [](Facts& f) { stats(f).received_packets = 0; },
         [](Facts& f) { stats(f).received_packets = stats(f).sent_packets = 0; }},
        {"one-way",
         "the last 3.2 s ago",
         [](Facts& f) {
             f.call->is_oneway = true;
             stats(f).since_last_received_ms = 3'200;
         },
         [](Facts& f) { f.call->is_held_by_peer = f.call->is_oneway = true; }},
        {"one-way",
         "misses 2700",
         [](Facts& f) { stats(f).remote_lost_packets = 2'700; },
         [](Facts& f) { stats(f).remote_lost_packets = 2'699; }},
        {"one-way", "diverted", end_by(model::EndReason::Diverted), kHungUp},
        {"loss",
         "way here 2.1 %",
         [](Facts& f) {
             stats(f).received_packets = 979;
             stats(f).lost_packets = 21;
         },
         [](Facts& f) {
             stats(f).received_packets = 980;
             stats(f).lost_packets = 20;
         }},
        {"loss",
         "way here 4.0 %",
         [](Facts& f) {
             stats(f).received_packets = 48;
             stats(f).lost_packets = 2;
         },
         [](Facts& f) {
             stats(f).received_packets = 47;
             stats(f).lost_packets = 2;
         }},
        {"loss",
         "way there 2.0 %",
         [](Facts& f) { stats(f).remote_lost_packets = 61; },
         [](Facts& f) { stats(f).remote_lost_packets = 60; }},
        {"jitter",
         "41 ms on the way here",
         [](Facts& f) { stats(f).jitter_ms = 40.6; },
         [](Facts& f) { stats(f).jitter_ms = 40; }},
        {"jitter",
         "50 ms on the way there",
         [](Facts& f) { stats(f).remote_jitter_ms = 50; },
         [](Facts& f) { stats(f).remote_jitter_ms = 40; }},
        {"round-trip-high",
         "401 ms",
         [](Facts& f) { stats(f).round_trip_ms = 401; },
         [](Facts& f) { stats(f).round_trip_ms = 400; }},
        {"concealment",
         "3.1 %",
         [](Facts& f) { stats(f).concealed_samples = 29'400; },
         [](Facts& f) { stats(f).concealed_samples = 28'800; }},
        {"source-silent",
         "-90 dBov",
         [](Facts& f) { stats(f).received_level_dbov = -90; },
         [](Facts& f) { stats(f).received_level_dbov = -89.9; }},
        {"source-silent",
         "-127 dBov",
         [](Facts& f) { stats(f).received_level_dbov = -127; },
         [](Facts& f) {
             stats(f).received_level_dbov = -127;
             f.member->is_muted = true;
         }},
        {"clipping",
         "0.11 %",
         [](Facts& f) { f.member->sound.clipped_samples = 1'040; },
         [](Facts& f) { f.member->sound.clipped_samples = 960; }},
        {"muted-by-self",
         "said so",
         [](Facts& f) { f.member->is_muted = true; },
         [](Facts& f) { f.member->is_muted = f.member->is_muted_by_operator = true; }},
        {"muted-by-operator",
         "API",
         [](Facts& f) { f.member->is_muted = f.member->is_muted_by_operator = true; },
         [](Facts& f) { f.member->is_muted = true; }},
        {"mixer-starved",
         "31 of 3031",
         [](Facts& f) { f.member->sound.missing_frames = 31; },
         [](Facts& f) { f.member->sound.missing_frames = 30; }},
        {"mixer-late",
         "31 of 3000",
         [](Facts& f) { f.channel->late_frames = 31; },
         [](Facts& f) { f.channel->late_frames = 30; }},
        {"clock-drift",
         "31 of 3031",
         [](Facts& f) { f.member->sound.dropped_frames = 31; },
         [](Facts& f) { f.member->sound.dropped_frames = 30; }},
        {"alone",
         "ward",
         [](Facts& f) {
             f.channel->ai.clear();
             f.channel->members.resize(1);
         },
         [](Facts& f) {
             f.channel->ai.clear();
             f.channel->members.resize(2);
         }},
        {"peer-lost",
         "away: Bert",
         [](Facts& f) { f.channel->members[1].state = model::MemberState::Away; },
         [](Facts& f) { f.channel->members[1].state = model::MemberState::Joining; }},
        {"ai-not-connected",
         "helper is lost for 2.5 s after 4 attempts: refused",
         [](Facts& f) {
             f.call->bot.state = model::AiState::Lost;
             f.call->bot.since_ns = kNow - ms(2'500);
             f.call->bot.figures.attempts = 4;
             f.call->bot.reason = "refused";
         },
         [](Facts& f) {
             f.call->bot.state = model::AiState::Lost;
             f.call->bot.since_ns = kNow - ms(2'499);
         }},
        {"ai-not-connected", "ai-lost", end_by(model::EndReason::AiLost), kHungUp},
        {"ai-not-connected",
         "is joining",
         [](Facts& f) {
             f.channel->members[2].state = model::MemberState::Joining;
             f.channel->members[2].joined_ns = kNow - ms(2'500);
         },
         [](Facts& f) {
             f.channel->members[2].state = model::MemberState::Joining;
             f.channel->members[2].joined_ns = kNow - ms(2'499);
         }},
        {"ai-not-connected",
         "not among the members",
         [](Facts& f) { f.channel->members.resize(2); },
         [](Facts& f) {
             f.channel->members.resize(2);
             for (auto& member : f.channel->members) member.joined_ns = kNow - ms(2'499);
         }},
        {"ai-silent",
         "sent nothing back",
         [](Facts& f) {
             f.call->bot.since_ns = kNow - ms(10'000);
             f.call->bot.figures.given_ms = 0;
         },
         [](Facts& f) {
             f.call->bot.since_ns = kNow - ms(9'999);
             f.call->bot.figures.given_ms = 0;
         }},
        {"ai-slow",
         "3 holes in 15.0 s",
         [](Facts& f) {
             stats(f).voice_underruns = 3;
             f.call->bot.figures.played_ms = 15'000;
         },
         [](Facts& f) {
             stats(f).voice_underruns = 3;
             f.call->bot.figures.played_ms = 15'001;
         }},
        {"no-caller-rtp",
         "not one packet in 60.0 s",
         [](Facts& f) { stats(f).received_packets = stats(f).arrived_packets = 0; },
         [](Facts& f) {
             stats(f).received_packets = 0;
             stats(f).arrived_packets = 1;
         }},
        {"no-caller-rtp",
         "not one packet",
         [](Facts& f) { stats(f).received_packets = stats(f).arrived_packets = 0; },
         [](Facts& f) {
             stats(f).received_packets = stats(f).arrived_packets = 0;
             f.call->is_sound_expected = false;
         }},
        {"rtp-stopped",
         "the last 2.0 s ago",
         [](Facts& f) { stats(f).since_last_arrived_ms = stats(f).since_last_received_ms = 2'000; },
         [](Facts& f) {
             stats(f).since_last_arrived_ms = stats(f).since_last_received_ms = 1'999;
         }},
        {"rtp-stopped", "rtp-timeout", end_by(model::EndReason::RtpTimeout), kHungUp},
        {"rtp-wrong-source",
         "10 packets of another address",
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_sources = 10;
         },
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_sources = 9;
         }},
        {"rtp-wrong-source",
         "10 packets",
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_sources = 10;
         },
         [](Facts& f) { stats(f).refused_packets = stats(f).refused_sources = 1'000; }},
        {"rtp-wrong-ssrc",
         "10 packets under other SSRCs",
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_ssrcs = 10;
         },
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_ssrcs = 9;
         }},
        {"rtp-wrong-payload",
         "10 packets of payload type 96",
         [](Facts& f) {
             refuse_all(f);
             stats(f).last_refused_type = 96;
             stats(f).refused_packets = stats(f).refused_types = 10;
         },
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = stats(f).refused_types = 9;
         }},
        {"rtp-malformed",
         "10 datagrams that are no RTP",
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = 15;
             stats(f).refused_types = 5;
         },
         [](Facts& f) {
             refuse_all(f);
             stats(f).refused_packets = 15;
             stats(f).refused_types = 6;
         }},
        {"srtp-wrong-key",
         "10 packets under another key",
         [](Facts& f) {
             refuse_all(f);
             stats(f).srtp_auth_failures = 10;
         },
         [](Facts& f) {
             refuse_all(f);
             stats(f).srtp_auth_failures = 9;
         }},
        {"rtp-undecodable",
         "3000 packets are no sound of PCMU",
         [](Facts& f) {
             f.call->codec = "PCMU";
             stats(f).undecodable_packets = 3'000;
         },
         [](Facts& f) { stats(f).undecodable_packets = 2'999; }},
        {"late",
         "151 of 3000 packets",
         [](Facts& f) { stats(f).late_packets = 151; },
         [](Facts& f) { stats(f).late_packets = 150; }},
        {"pipeline-keeps-sound",
         "of which 479999 came to the tap",
         [](Facts& f) {
             leave_channel(f);
             stats(f).tapped_samples = 479'999;
         },
         [](Facts& f) {
             leave_channel(f);
             stats(f).tapped_samples = 480'000;
         }},
        {"pipeline-error", "12 checks", end_by(model::EndReason::PipelineError), kHungUp},
        {"far-end-lost", "peer-vanished", end_by(model::EndReason::PeerVanished), kHungUp},
        {"far-end-lost",
         "neither sound nor ICE",
         [](Facts& f) { f.call->web.is_lost = true; },
         [](Facts& f) { f.call->web.is_lost = false; }},
        lost_ai("ai-refused", "refused"),
        lost_ai("ai-unreachable", "unreachable"),
        lost_ai("ai-unreachable", "unresolved"),
        lost_ai("ai-untrusted", "untrusted"),
        lost_ai("ai-not-allowed", "not-allowed"),
        lost_ai("ai-hung", "timeout"),
        lost_ai("ai-hung", "silent"),
        lost_ai("ai-hung", "slow"),
        lost_ai("ai-wrong-protocol", "bad-handshake"),
        lost_ai("ai-wrong-protocol", "protocol"),
        lost_ai("ai-lost", "reset"),
        lost_ai("ai-lost", "closed-by-peer"),
        {"ai-takes-nothing",
         "50 of 3050 frames",
         [](Facts& f) {
             leave_channel(f);
             f.call->bot.figures.unsent_frames = 50;
         },
         [](Facts& f) {
             leave_channel(f);
             f.call->bot.figures.unsent_frames = 49;
         }},
        {"tap-full",
         "601 ms of the caller's sound were lost (1.0 %)",
         [](Facts& f) {
             leave_channel(f);
             stats(f).tap_dropped_samples = 9'610;
         },
         [](Facts& f) {
             leave_channel(f);
             stats(f).tap_dropped_samples = 9'600;
         }},
        {"ai-garbage",
         "3 messages cannot be read, beside 20.0 s of sound",
         [](Facts& f) { f.call->bot.figures.bad_messages = 3; },
         [](Facts& f) { f.call->bot.figures.bad_messages = 2; }},
        {"ai-wrong-format",
         "-4.8 dBov",
         [](Facts& f) {
             leave_channel(f);
             stats(f).last_source = model::FrameSource::Ai;
             stats(f).sent_level_dbov = -4.8;
         },
         [](Facts& f) {
             leave_channel(f);
             stats(f).last_source = model::FrameSource::Ai;
             stats(f).sent_level_dbov = -9;
         }},
        {"ai-overflow",
         "0.1 s of 20.0 s",
         [](Facts& f) { f.call->bot.figures.overflowed_ms = 100; },
         [](Facts& f) { f.call->bot.figures.overflowed_ms = 99; }},
        {"ai-paused",
         "500 ms of its sound wait for 2.0 s",
         [](Facts& f) {
             leave_channel(f);
             stats(f).is_voice_paused = true;
             stats(f).voice_queued_samples = 8'000;
             stats(f).since_last_voice_left_ms = 2'000;
         },
         [](Facts& f) {
             leave_channel(f);
             stats(f).is_voice_paused = true;
             stats(f).voice_queued_samples = 8'000;
             stats(f).since_last_voice_left_ms = 1'999;
         }},
        {"ai-muted-by-hold",
         "until the call is resumed",
         [](Facts& f) {
             leave_channel(f);
             f.call->is_held_by_us = stats(f).is_voice_muted = true;
         },
         [](Facts& f) {
             leave_channel(f);
             stats(f).is_voice_muted = true;
         }},
        {"held-by-us",
         "API",
         [](Facts& f) { f.call->is_held_by_us = true; },
         [](Facts& f) { f.call->is_held_by_peer = true; }},
        {"held-by-peer",
         "100 frames",
         [](Facts& f) {
             f.call->is_held_by_peer = true;
             stats(f).held_frames = 100;
         },
         [](Facts& f) { f.call->is_held_by_us = true; }},
        {"worker-late",
         "late by 10.1 ms",
         [](Facts& f) { f.worker = model::WorkerStats{.tick_p99_ms = 10.1}; },
         [](Facts& f) { f.worker = model::WorkerStats{.tick_p99_ms = 10}; }},
        {"worker-late",
         "1 frames given up",
         [](Facts& f) { stats(f).skipped_frames = 1; },
         [](Facts& f) { stats(f).skipped_frames = 0; }},
        {"rtp-gap",
         "the longest was 61 ms, 60 ms are the limit",
         [](Facts& f) { stats(f).max_gap_ms = 61; },
         [](Facts& f) { stats(f).max_gap_ms = 60; }},
        {"send-errors",
         "31 of 3031 packets",
         [](Facts& f) { stats(f).send_errors = 31; },
         [](Facts& f) { stats(f).send_errors = 30; }},
        {"not-acknowledged",
         "the far end has 2 of 3",
         [](Facts& f) {
             model::HopLedger hops;
             hops.hops.back() = {.hop = model::Hop::Acknowledged,
                                 .state = model::HopState::Broken,
                                 .detail = "the far end has 2 of 3"};
             f.hops = hops;
         },
         [](Facts& f) {
             model::HopLedger hops;
             hops.hops.back() = {.hop = model::Hop::Acknowledged,
                                 .state = model::HopState::Unknown,
                                 .detail = "the far end has 2 of 3"};
             f.hops = hops;
         }},
    };
    return cases;
}

TEST(Diagnose, NothingIsWrongWithWhatIsWell) {
    EXPECT_THAT(codes(healthy()), IsEmpty());
    EXPECT_THAT(codes({.now_ns = kNow}), IsEmpty());
    Facts over = healthy();
    end(over, model::EndReason::CallerHangup);
    EXPECT_THAT(codes(over), IsEmpty());
}

TEST(Diagnose, EachAtItsThresholdAndNotBelow) {
    for (const Case& each : cases()) {
        SCOPED_TRACE(each.code + ": " + each.evidence);
        Facts fault = healthy();
        each.fault(fault);
        bool is_found = false;
        for (const Finding& finding : diagnose(fault)) {
            if (finding.known.code != each.code) continue;
            is_found = true;
            EXPECT_THAT(finding.evidence, HasSubstr(each.evidence));
        }
        EXPECT_TRUE(is_found);
        Facts almost = healthy();
        each.almost(almost);
        EXPECT_THAT(codes(almost), Not(Contains(each.code)));
    }
}

TEST(Diagnose, TheWorstComesFirst) {
    Facts facts = healthy();
    facts.member->is_muted = true;                                     // info
    stats(facts).jitter_ms = 100;                                      // warning
    stats(facts).received_packets = stats(facts).arrived_packets = 0;  // error
    const auto found = diagnose(facts);
    ASSERT_GE(found.size(), 3U);
    for (std::size_t i = 1; i < found.size(); ++i)
        EXPECT_LE(found[i - 1].known.severity, found[i].known.severity);
    EXPECT_EQ(found.front().known.code, "no-caller-rtp") << "the most exact of them";
    EXPECT_EQ(found.back().known.code, "muted-by-self");
}

TEST(Findings, WhatTheDaemonSeesHasARuleAndATest) {
    std::set<std::string> tested, seen, all;
    for (const Case& each : cases()) tested.insert(each.code);
    std::set<std::string_view> hops;
    for (std::size_t i = 0; i < model::kHops; ++i)
        hops.insert(model::name_of(static_cast<model::Hop>(i)));
    for (const Known& known : known_findings()) {
        EXPECT_TRUE(all.emplace(known.code).second) << known.code << " twice";
        EXPECT_TRUE(known.cause.ends_with('.')) << known.code;
        EXPECT_TRUE(known.fix.ends_with('.')) << known.code;
        EXPECT_TRUE(known.symptom.ends_with('.')) << known.code;
        EXPECT_TRUE(known.hop.empty() || hops.contains(known.hop)) << known.code;
        if (known.is_seen_by_daemon) seen.emplace(known.code);
    }
    EXPECT_EQ(tested, seen);
}

}  // namespace
}  // namespace offhook::diagnosis
