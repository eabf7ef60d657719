#include <gtest/gtest.h>

#include "api/verdict.h"
#include "diagnosis/diagnose.h"

namespace offhook::api {
namespace {

using diagnosis::Severity;
using Status = model::HealthCheck::Status;

CallTrouble trouble(const std::string& id,
                    Severity severity,
                    std::string_view code,
                    std::string text) {
    return {model::CallId{id}, severity, code, std::move(text)};
}

diagnosis::Finding finding_of(std::string_view code,
                              Severity severity,
                              std::string evidence,
                              std::string_view symptom = {}) {
    diagnosis::Finding finding;
    finding.known.code = code;
    finding.known.severity = severity;
    finding.known.symptom = symptom;
    finding.evidence = std::move(evidence);
    return finding;
}

TEST(Verdict, EverythingIsAlive) {
    EXPECT_EQ(verdict_of({.calls = 12}).sentence, "All 12 calls are alive");
    EXPECT_EQ(verdict_of({.calls = 1}).sentence, "The call is alive");
    EXPECT_EQ(verdict_of({}).sentence, "No calls, and ready for them");
    EXPECT_EQ(verdict_of({.calls = 12}).level, "ok");
    EXPECT_TRUE(verdict_of({.calls = 12}).call.empty());
}

TEST(Verdict, OneCallOfManyIsNamed) {
    const Verdict verdict = verdict_of(
        {.calls = 12,
         .trouble = {trouble("c-1", Severity::Warning, "loss", "packets are lost (3 %)"),
                     trouble("c-2", Severity::Error, "one-way", "no RTP from 10.0.0.5 for 8 s")}});
    EXPECT_EQ(verdict.level, "error");
    EXPECT_EQ(verdict.sentence, "1 of 12 calls: no RTP from 10.0.0.5 for 8 s");
    EXPECT_EQ(verdict.call.text, "c-2");
}

TEST(Verdict, ManyWithTheSameTroubleAreOneSentence) {
    const auto one = trouble("c-1", Severity::Error, "ai-not-connected", "the AI is not connected");
    const auto two = trouble("c-2", Severity::Error, "ai-not-connected", "the AI is not connected");
    EXPECT_EQ(verdict_of({.calls = 3, .trouble = {one, two}}).sentence,
              "2 of 3 calls: the AI is not connected, and so the others");
    const auto other = trouble("c-3", Severity::Error, "nothing-sent", "nothing is sent");
    EXPECT_EQ(verdict_of({.calls = 3, .trouble = {one, other}}).sentence,
              "2 of 3 calls: the AI is not connected, and other trouble");
}

TEST(Verdict, WhatFailedComesBeforeCalls) {
    VerdictFacts facts{.calls = 2,
                       .trouble = {trouble("c-1", Severity::Error, "one-way", "no RTP")}};
    facts.accounts = {Status::Failed, "no account is registered", {}};
    EXPECT_EQ(verdict_of(facts).sentence, "no account is registered");
    EXPECT_EQ(verdict_of(facts).level, "error");
    facts.accounts.status = Status::Degraded;
    EXPECT_EQ(verdict_of(facts).call.text, "c-1");
    facts.trouble.clear();
    EXPECT_EQ(verdict_of(facts).sentence, "All 2 calls are alive, but no account is registered");
    EXPECT_EQ(verdict_of(facts).level, "warning");
}

TEST(Verdict, LateWorkersAreTold) {
    VerdictFacts facts{.calls = 2, .tick_p99_ms = 9, .tick_p99_limit_ms = 10};
    facts.media = {Status::Degraded, "tick p99 9 ms; no SCHED_FIFO", {}};
    // Without real-time priority calls are alive all the same: /health says it.
    EXPECT_EQ(verdict_of(facts).level, "ok");
    facts.tick_p99_ms = 11;
    EXPECT_EQ(verdict_of(facts).level, "warning");
    EXPECT_EQ(verdict_of(facts).sentence,
              "All 2 calls are alive, but tick p99 9 ms; no SCHED_FIFO");
}

TEST(Verdict, DrainingIsTold) {
    EXPECT_EQ(verdict_of({.calls = 1, .is_draining = true}).sentence,
              "Draining: 1 call left, all alive");
    EXPECT_EQ(verdict_of({.is_draining = true}).sentence, "Draining, and no call is left");
}

TEST(Verdict, TheWordsOfACallThatIsNotHeard) {
    model::CallInfo call;
    call.id = model::CallId{"c-1"};
    call.peer = "udp:10.0.0.5:5060";
    call.stats.since_last_received_ms = 8'200;
    const auto finding =
        finding_of("nothing-received", Severity::Error, "no packet received in 8.2 s");
    const auto found = trouble_of(call, {finding});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().text, "no RTP from 10.0.0.5 for 8 s");
    call.peer = "wss:[2001:db8::1]:443";
    EXPECT_EQ(trouble_of(call, {finding}).front().text, "no RTP from [2001:db8::1] for 8 s");
    call.stats.since_last_received_ms = -1;
    call.peer.clear();
    EXPECT_EQ(trouble_of(call, {finding}).front().text, "no RTP from the caller since the answer");
}

TEST(Verdict, AnUnknownCodeIsToldByItsSymptom) {
    const auto finding = finding_of("new-one", Severity::Error, "3 of 5", "Nothing is heard.");
    EXPECT_EQ(trouble_of({}, {finding}).front().text, "nothing is heard (3 of 5)");
}

TEST(Verdict, WhatIsOnlyToldIsNoTrouble) {
    const auto finding = finding_of("alone", Severity::Info, "");
    EXPECT_TRUE(trouble_of({}, {finding}).empty());
    const auto silent = finding_of("source-silent", Severity::Warning, "");
    EXPECT_TRUE(trouble_of({}, {silent}).empty());
}

}  // namespace
}  // namespace offhook::api
