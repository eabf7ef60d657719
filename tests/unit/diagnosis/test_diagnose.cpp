// Each rule at its threshold, and just below it.
#include "diagnosis/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

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
    stats.sent_packets = stats.received_packets = 3'000;
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
    facts.member->is_muted = true;      // info
    stats(facts).jitter_ms = 100;       // warning
    stats(facts).received_packets = 0;  // error
    const auto found = diagnose(facts);
    ASSERT_GE(found.size(), 3U);
    for (std::size_t i = 1; i < found.size(); ++i)
        EXPECT_LE(found[i - 1].known.severity, found[i].known.severity);
    EXPECT_EQ(found.front().known.code, "nothing-received");
    EXPECT_EQ(found.back().known.code, "muted-by-self");
}

TEST(Findings, WhatTheDaemonSeesHasARuleAndATest) {
    std::set<std::string> tested, seen, all;
    for (const Case& each : cases()) tested.insert(each.code);
    for (const Known& known : known_findings()) {
        EXPECT_TRUE(all.emplace(known.code).second) << known.code << " twice";
        EXPECT_TRUE(known.cause.ends_with('.')) << known.code;
        EXPECT_TRUE(known.fix.ends_with('.')) << known.code;
        if (known.is_seen_by_daemon) seen.emplace(known.code);
    }
    EXPECT_EQ(tested, seen);
}

}  // namespace
}  // namespace offhook::diagnosis
