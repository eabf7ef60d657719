// What the browser says of its sound, joined with what the daemon counts.

#include "signalling/web/channel_diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/monotonic.h"

namespace offhook::signalling::web {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNow = 1'000 * base::kNsPerS;

/// Two members, and a web leg of ten seconds through which all is well.
ChannelPatient well() {
    ChannelPatient patient;
    patient.member.id = "m-1";
    patient.member.state = model::MemberState::Connected;
    patient.member.joined_ns = kNow - 20 * base::kNsPerS;
    patient.member.sound.level_dbov = -30;
    patient.member.sound.is_speaking = true;
    model::MemberInfo other = patient.member;
    other.id = "m-2";
    patient.channel.members = {patient.member, other};
    model::CallInfo call;
    call.leg = model::LegKind::Web;
    call.state = model::CallState::Answered;
    call.created_ns = call.answered_ns = kNow - 10 * base::kNsPerS;
    call.web.is_connected = true;
    call.web.connect_ms = 100;
    call.stats.received_packets = call.stats.sent_packets = 500;
    call.stats.since_last_sent_ms = call.stats.since_last_received_ms = 10;
    call.stats.received_level_dbov = call.stats.sent_level_dbov = -30;
    patient.member.call = call.id = model::CallId::make();
    patient.call = call;
    patient.client = {{"connection", "connected"},
                      {"packets_sent", 500.0},
                      {"packets_received", 500.0},
                      {"packets_lost", 0.0},
                      {"concealed_percent", 0.5}};
    return patient;
}

std::vector<std::string> codes(const ChannelPatient& patient) {
    std::vector<std::string> all;
    for (const ChannelFinding& each : findings_of(patient, kNow)) all.push_back(each.code);
    return all;
}

void set(ChannelPatient& patient, const std::string& name, double value) {
    for (auto& [each, figure] : patient.client)
        if (each == name) figure = value;
}

TEST(ChannelDiagnosis, NothingIsWrongWhileBothSidesAgree) {
    EXPECT_THAT(codes(well()), ElementsAre());
}

TEST(ChannelDiagnosis, WhatTheBrowserSentAndNeverCameIsOneWay) {
    ChannelPatient patient = well();
    patient.call->stats.received_packets = 0;
    const auto all = findings_of(patient, kNow);
    const auto found = std::find_if(
        all.begin(), all.end(), [](const auto& each) { return each.code == "one-way"; });
    ASSERT_NE(found, all.end());
    EXPECT_EQ(found->severity, "error");
    EXPECT_THAT(found->evidence, HasSubstr("packets sent 500"));
    EXPECT_FALSE(found->cause.empty());
    EXPECT_FALSE(found->fix.empty());
}

TEST(ChannelDiagnosis, WhatWeSentAndNeverCameThereIsOneWay) {
    ChannelPatient patient = well();
    set(patient, "packets_received", 0);
    const auto all = findings_of(patient, kNow);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].code, "one-way");
    EXPECT_THAT(all[0].evidence, HasSubstr("500 packets were sent to its browser"));
}

TEST(ChannelDiagnosis, LossAndConcealmentOfTheBrowserCount) {
    ChannelPatient patient = well();
    set(patient, "packets_lost", 50);
    EXPECT_THAT(codes(patient), ElementsAre("loss"));
    patient = well();
    set(patient, "concealed_percent", 12);
    EXPECT_THAT(codes(patient), ElementsAre("concealment"));
}

TEST(ChannelDiagnosis, FiguresOfAnotherKindAreNothing) {
    ChannelPatient patient = well();
    patient.client = {
        {"packets_sent", std::string("many")}, {"packets_received", true}, {"connection", 7.0}};
    EXPECT_THAT(codes(patient), ElementsAre());
    patient.client.clear();
    EXPECT_THAT(codes(patient), ElementsAre());
}

TEST(ChannelDiagnosis, WhyTheLastLegEndedIsKnown) {
    ChannelPatient patient = well();
    patient.call->ended_ns = kNow - base::kNsPerS;
    patient.call->end = model::ended(model::EndReason::DtlsFailed, "no handshake");
    EXPECT_THAT(codes(patient), Contains("dtls-failed"));
    EXPECT_THAT(codes(patient), Not(Contains("ice-failed")));
}

}  // namespace
}  // namespace offhook::signalling::web
