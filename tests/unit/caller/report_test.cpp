#include "caller/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "caller/diagnosis.h"

namespace offhook::caller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kMs = 1'000'000;

CallResult good_call(int index = 0) {
    CallResult call;
    call.index = index;
    call.sip_call_id = "id" + std::to_string(index);
    call.ending = Ending::WeHungUp;
    call.status = 200;
    call.was_answered = true;
    call.answer_ns = 2 * kMs + index * kMs;
    call.stream.listened_ns = 10'000 * kMs;
    call.stream.received_packets = 500;
    call.stream.first_rtp_ns = 3 * kMs;
    call.stream.max_gap_ns = 21 * kMs;
    call.stream.max_gap_at_ns = 4'000 * kMs;
    call.stream.ssrcs = 1;
    return call;
}

RunResult run_of(std::vector<CallResult> calls) {
    RunResult run;
    run.target = "sip:demo@127.0.0.1";
    run.transport = "udp:127.0.0.1:5060";
    run.wanted_calls = static_cast<int>(calls.size());
    run.calls = std::move(calls);
    for (int i = 0; i < 500; ++i) run.gaps.record(20 * kMs);
    run.cpu_ms = 20;
    run.call_seconds = 100;
    return run;
}

std::string trouble_of(CallResult call) {
    return diagnose(call).sentence;
}

TEST(DiagnosisTest, AGoodCallHasNoTrouble) {
    EXPECT_EQ(diagnose(good_call()).trouble, Trouble::None);
    EXPECT_TRUE(diagnose(run_of({good_call()})).empty());
}

TEST(DiagnosisTest, EachTroubleHasItsSentence) {
    CallResult call = good_call();
    call.was_answered = false;
    call.ending_text = "answered 503 Busy, Retry-After 5";
    EXPECT_EQ(trouble_of(call), "answered 503 Busy, Retry-After 5");

    call = good_call();
    call.stream.received_packets = 0;
    EXPECT_EQ(trouble_of(call), "no RTP after the answer");
    call.stream.rtcp_packets = 2;
    EXPECT_EQ(trouble_of(call), "no RTP after the answer (only 2 RTCP packets)");

    call = good_call();
    call.stream.max_gap_ns = 5'000 * kMs;
    call.stream.max_gap_at_ns = 5'000 * kMs;
    call.stream.max_gap_is_tail = true;
    EXPECT_EQ(trouble_of(call), "stream stopped at 5.0 s and never came back");

    call = good_call();
    call.ending = Ending::PeerHungUp;
    call.ending_text = "the far end hung up";
    EXPECT_EQ(trouble_of(call), "the far end hung up after 10.0 s");

    call = good_call();
    call.stream.ssrcs = 2;
    call.stream.second_ssrc_at_ns = 3'000 * kMs;
    EXPECT_EQ(trouble_of(call), "second SSRC at 3.0 s (2 in all)");

    call = good_call();
    call.stream.max_gap_ns = 104 * kMs;
    EXPECT_EQ(trouble_of(call),
              "a hole of 104 ms at 4.0 s: no sequence number is missing, so the sender paused");
    call.stream.max_gap_missing = 4;
    EXPECT_EQ(trouble_of(call),
              "a hole of 104 ms at 4.0 s: 4 packets were numbered and never came");

    call = good_call();
    call.stream.lost_packets = 2;
    call.stream.first_loss_at_ns = 1'500 * kMs;
    EXPECT_EQ(trouble_of(call), "2 packets lost, the first at 1.5 s");

    call = good_call();
    call.stream.timestamp_breaks = 1;
    call.stream.first_timestamp_break_at_ns = 100 * kMs;
    EXPECT_EQ(trouble_of(call),
              "the timestamp did not follow the sequence 1 times, first at 0.1 s");

    call = good_call();
    call.stream.received_packets = 250;
    EXPECT_EQ(trouble_of(call), "25.0 packets/s instead of 50 (ptime 40 ms?)");

    call = good_call();
    call.stream.first_rtp_ns = 35 * kMs;
    EXPECT_EQ(trouble_of(call), "first RTP 35.0 ms after the 200");
}

TEST(DiagnosisTest, ARunSaysHowManyAndWorstFirst) {
    std::vector<CallResult> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(good_call(i));
    calls[1].stream.ssrcs = calls[2].stream.ssrcs = 2;
    calls[1].stream.second_ssrc_at_ns = 3'000 * kMs;
    calls[3].stream.received_packets = 0;
    EXPECT_THAT(diagnose(run_of(std::move(calls))),
                ElementsAre("1 of 4 calls: no RTP after the answer",
                            "2 of 4 calls: second SSRC at 3.0 s (2 in all)"));
}

TEST(DiagnosisTest, AStarvedCallerSaysSo) {
    RunResult run = run_of({good_call()});
    for (int i = 0; i < 100; ++i) run.send_lateness.record(15 * kMs);
    EXPECT_THAT(diagnose(run), ElementsAre(HasSubstr("this caller itself was short of CPU")));
}

TEST(ReportTest, TheSummaryOfSeveralCalls) {
    std::vector<CallResult> calls;
    for (int i = 0; i < 100; ++i) calls.push_back(good_call(i));
    calls[7].stream.received_packets = 401;  // 98 short after the edge
    calls[9].was_answered = false;
    calls[8].stream.max_gap_ns = 55 * kMs;
    const Summary s = summarise(run_of(std::move(calls)));
    EXPECT_EQ(s.answered, 99);
    EXPECT_DOUBLE_EQ(s.answered_percent, 99);
    EXPECT_DOUBLE_EQ(s.answer_max_ms, 101);
    EXPECT_DOUBLE_EQ(s.answer_p50_ms, 52);
    EXPECT_NEAR(s.worst_rate_percent, 80.4, 1e-9);
    EXPECT_NEAR(s.rate_percent, 100 - 19.6 / 99, 1e-9);
    EXPECT_DOUBLE_EQ(s.max_gap_ms, 55);
    EXPECT_DOUBLE_EQ(s.gap_p99_ms, 20);
    EXPECT_DOUBLE_EQ(s.cpu_ms_per_call_second, 0.2);
}

TEST(ReportTest, ACallWithoutRtpSpoilsTheFirstPacketFigure) {
    CallResult deaf = good_call(1);
    deaf.stream.first_rtp_ns = -1;
    const Summary s = summarise(run_of({good_call(), deaf}));
    EXPECT_EQ(s.without_rtp, 1);
    EXPECT_LT(s.first_rtp_p99_ms, 0);
}

TEST(ReportTest, TheExitCodeIsTheVerdict) {
    const Expectation expectation = Expectation::standard(1);
    EXPECT_EQ(make_report(run_of({good_call()}), expectation).exit_code, kExitHeld);
    CallResult bad = good_call();
    bad.stream.ssrcs = 2;
    EXPECT_EQ(make_report(run_of({bad}), expectation).exit_code, kExitBroken);
    bad.was_answered = false;
    EXPECT_EQ(make_report(run_of({bad}), expectation).exit_code, kExitNotAnswered);
}

TEST(ReportTest, TheTextNamesFiguresTroubleAndVerdict) {
    CallResult bad = good_call();
    bad.stream.max_gap_ns = 104 * kMs;
    const std::string text = text_report(make_report(run_of({bad}), Expectation::standard(1)));
    EXPECT_THAT(text, HasSubstr("1 of 1, 200 after 2.0 ms"));
    EXPECT_THAT(text, HasSubstr("500 of 500 at 50/s, 100.00 %"));
    EXPECT_THAT(text, HasSubstr("104.0 ms at 4.0 s"));
    EXPECT_THAT(text, HasSubstr("the sender paused"));
    EXPECT_THAT(text, HasSubstr("BROKEN        max_gap<=40        104"));
    EXPECT_THAT(text, HasSubstr("The promise was broken."));
}

TEST(ReportTest, JsonHasNullForWhatWasNotMeasured) {
    CallResult refused;
    refused.sip_call_id = "x\"\n";
    refused.ending = Ending::Refused;
    refused.status = 486;
    refused.ending_text = "answered 486 Busy";
    const std::string json = json_report(make_report(run_of({refused}), Expectation::standard(1)));
    EXPECT_THAT(json, HasSubstr(R"("verdict":"not answered","exit_code":69)"));
    EXPECT_THAT(json, HasSubstr(R"("answer_ms":{"p50":null,"p99":null,"max":null})"));
    EXPECT_THAT(json, HasSubstr(R"("trouble":["answered 486 Busy"])"));
    EXPECT_THAT(
        json,
        HasSubstr(R"("call_id":"x\"\u000a","answered":false,"status":486,"ending":"refused")"));
    EXPECT_THAT(json, Not(HasSubstr("\n")));
}

TEST(ReportTest, ManyCallsAreNotListedOneByOne) {
    std::vector<CallResult> calls;
    for (int i = 0; i < 65; ++i) calls.push_back(good_call(i));
    EXPECT_THAT(json_report(make_report(run_of(calls), Expectation::standard(65))),
                Not(HasSubstr("\"per_call\"")));
    calls.pop_back();
    EXPECT_THAT(json_report(make_report(run_of(calls), Expectation::standard(64))),
                HasSubstr("\"per_call\""));
}

}  // namespace
}  // namespace offhook::caller
