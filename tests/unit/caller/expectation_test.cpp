#include "caller/expectation.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace offhook::caller {
namespace {

Summary good() {
    Summary s;
    s.calls = s.answered = 1;
    s.answered_percent = 100;
    s.rate_percent = s.worst_rate_percent = 99.95;
    s.max_gap_ms = 40;
    s.gap_p99_ms = 20.4;
    s.first_rtp_p99_ms = s.first_rtp_max_ms = 3;
    s.max_ssrcs = 1;
    return s;
}

bool all_hold(const std::string& text, const Summary& summary) {
    const auto expectation = Expectation::parse(text);
    if (!expectation) {
        ADD_FAILURE() << expectation.error().text();
        return false;
    }
    const auto judgements = expectation->judge(summary);
    return std::all_of(judgements.begin(), judgements.end(), [](const auto& j) { return j.holds; });
}

TEST(ExpectationTest, TheExampleOfTheManual) {
    EXPECT_TRUE(all_hold("rate>=99.9,max_gap<=40,p99_gap<=25,first_rtp<=20,ssrc=1", good()));
    EXPECT_TRUE(all_hold(" rate >= 99.9 , ssrc == 1 ,", good()));
}

TEST(ExpectationTest, EveryOperator) {
    EXPECT_TRUE(all_hold("max_gap<=40", good()));
    EXPECT_FALSE(all_hold("max_gap<40", good()));
    EXPECT_TRUE(all_hold("max_gap>39.9", good()));
    EXPECT_FALSE(all_hold("max_gap>40", good()));
    EXPECT_TRUE(all_hold("max_gap=40", good()));
    EXPECT_FALSE(all_hold("ssrc=2", good()));
}

TEST(ExpectationTest, OneBrokenConditionIsNamedWithItsFigure) {
    Summary bad = good();
    bad.max_gap_ms = 104.25;
    const auto judgements = Expectation::parse("rate>=99.9,max_gap<=40")->judge(bad);
    ASSERT_EQ(judgements.size(), 2U);
    EXPECT_TRUE(judgements[0].holds);
    EXPECT_FALSE(judgements[1].holds);
    EXPECT_EQ(judgements[1].condition, "max_gap<=40");
    EXPECT_EQ(judgements[1].measured, "104.25");
}

TEST(ExpectationTest, WhatWasNotMeasuredHoldsNothing) {
    EXPECT_FALSE(all_hold("first_rtp<=20", Summary{}));
    EXPECT_EQ(Expectation::parse("first_rtp<=20")->judge(Summary{})[0].measured, "not measured");
}

TEST(ExpectationTest, MistakesAreExplained) {
    for (const char* bad : {"",
                            ",",
                            "rate",
                            "rate>=",
                            "rate>=x",
                            "rate>=1e999",
                            "rate=>5",
                            "speed>=1",
                            "rate>=99 9",
                            ">=5"}) {
        const auto parsed = Expectation::parse(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code, base::ErrorCode::InvalidArgument);
    }
    EXPECT_NE(Expectation::parse("speed>=1").error().message.find("max_gap"), std::string::npos);
}

TEST(ExpectationTest, TheStandardHoldsForAGoodCallAndBreaksForEachFault) {
    const auto holds = [](const Summary& s, int calls) {
        const auto judgements = Expectation::standard(calls).judge(s);
        return std::all_of(
            judgements.begin(), judgements.end(), [](const auto& j) { return j.holds; });
    };
    EXPECT_TRUE(holds(good(), 1));
    Summary slow = good();
    slow.max_gap_ms = 55;
    EXPECT_FALSE(holds(slow, 1));
    EXPECT_TRUE(holds(slow, 500));
    const auto broken = [&](auto spoil) {
        Summary s = good();
        spoil(s);
        return !holds(s, 500);
    };
    EXPECT_TRUE(broken([](Summary& s) { s.answered_percent = 99.8; }));
    EXPECT_TRUE(broken([](Summary& s) { s.hung_up = 1; }));
    EXPECT_TRUE(broken([](Summary& s) { s.rate_percent = 99.8; }));
    EXPECT_TRUE(broken([](Summary& s) { s.gap_p99_ms = 25.1; }));
    EXPECT_TRUE(broken([](Summary& s) { s.first_rtp_p99_ms = 21; }));
    EXPECT_TRUE(broken([](Summary& s) { s.max_ssrcs = 2; }));
    EXPECT_TRUE(broken([](Summary& s) { s.lost = 1; }));
    EXPECT_TRUE(broken([](Summary& s) { s.timestamp_breaks = 1; }));
}

}  // namespace
}  // namespace offhook::caller
