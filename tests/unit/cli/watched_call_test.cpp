#include "cli/watched_call.h"

#include <gtest/gtest.h>

#include <random>

namespace offhook::cli {
namespace {

// The shape of docs/http-api.md, shortened.
const std::string kCalls =
    R"({"items":[{"id":"c-0123456789ab","state":"answered","from":"sip:a","codec":"PCMU","duration_ms":12345,"worker":0,)"
    R"("end":null,"stats":{"sent_packets":617,"since_last_sent_ms":3.5,"max_gap_ms":21.25,"last_source":"ai",)"
    R"("sent_level_dbov":-20.5,"received_packets":615,"lost_packets":1,"since_last_received_ms":null,"received_level_dbov":-31}}],)"
    R"("next":null})";

WatchedCall good() {
    return parse_calls(kCalls)->at(0);
}

TEST(WatchedCallTest, ReadsAnItem) {
    const auto calls = parse_calls(kCalls);
    ASSERT_TRUE(calls) << calls.error().text();
    ASSERT_EQ(calls->size(), 1U);
    const WatchedCall& call = calls->front();
    EXPECT_EQ(call.id, "c-0123456789ab");
    EXPECT_EQ(call.state, "answered");
    EXPECT_EQ(call.codec, "PCMU");
    EXPECT_EQ(call.last_source, "ai");
    EXPECT_DOUBLE_EQ(call.duration_ms, 12345);
    EXPECT_EQ(call.sent_packets, 617U);
    EXPECT_EQ(call.lost_packets, 1U);
    EXPECT_DOUBLE_EQ(call.max_gap_ms, 21.25);
    EXPECT_DOUBLE_EQ(call.since_last_sent_ms, 3.5);
    EXPECT_DOUBLE_EQ(call.since_last_received_ms, -1);
    EXPECT_DOUBLE_EQ(call.received_level_dbov, -31);
}

TEST(WatchedCallTest, ReadsTheHealth) {
    const auto daemon = parse_health(
        R"({"status":"ok","version":"0.1.0","uptime_s":75,"summary":"2 calls alive","checks":{"calls":{"active":2}}})");
    ASSERT_TRUE(daemon);
    EXPECT_EQ(daemon->status, "ok");
    EXPECT_EQ(daemon->active_calls, 2U);
    EXPECT_DOUBLE_EQ(daemon->uptime_s, 75);
    EXPECT_EQ(parse_health("{}")->status, "");
}

TEST(WatchedCallTest, OtherTypesAndMissingMembersKeepDefaults) {
    const auto calls = parse_calls(
        R"({"items":[{"id":7,"stats":[],"end":{"reason":"drained"}},3,{"id":"x\u001b[2J","stats":{"sent_packets":-5}}]})");
    ASSERT_TRUE(calls);
    ASSERT_EQ(calls->size(), 2U);
    EXPECT_EQ(calls->at(0).id, "");
    EXPECT_EQ(calls->at(0).end_reason, "drained");
    EXPECT_EQ(calls->at(1).sent_packets, 0U);
    EXPECT_EQ(calls->at(1).id.find('\033'), std::string::npos);
}

TEST(WatchedCallTest, RefusesWhatIsNotTheList) {
    for (const std::string& bad : {std::string(),
                                   std::string("[]"),
                                   std::string("{}"),
                                   std::string(R"({"items":{}})"),
                                   std::string(100'000, '['),
                                   "{\"items\":" + std::string(30, '[')}) {
        EXPECT_FALSE(parse_calls(bad)) << bad.substr(0, 40);
    }
}

TEST(WatchedCallTest, MutationsDoNoHarm) {
    std::mt19937 random(3);
    int readable = 0;
    for (int i = 0; i < 5000; ++i) {
        std::string mutant = kCalls;
        for (unsigned k = 0; k <= random() % 3; ++k) {
            const std::size_t at = random() % mutant.size();
            if (random() % 2 == 0)
                mutant[at] = static_cast<char>(random());
            else
                mutant.erase(at, 1 + random() % 8);
        }
        if (const auto calls = parse_calls(mutant)) {
            ++readable;
            for (const WatchedCall& call : *calls) EXPECT_FALSE(judge(call).sentence.empty());
        }
    }
    EXPECT_GT(readable, 100);
}

TEST(WatchedCallTest, TheVerdictNamesTheWorst) {
    EXPECT_EQ(judge(good()).mood, Mood::Good);
    EXPECT_EQ(judge(good()).sentence, "alive: the AI speaks");

    WatchedCall call = good();
    call.last_source = "fill";
    EXPECT_EQ(judge(call).sentence, "alive: filler, the AI is silent");
    call.lost_packets = 50;
    EXPECT_EQ(judge(call).sentence, "alive; 7.5 % of the caller's packets lost");
    call.since_last_received_ms = 4200;
    EXPECT_EQ(judge(call).sentence, "alive; the caller has sent nothing for 4 s");
    call.received_packets = 0;
    EXPECT_EQ(judge(call).sentence, "alive; nothing heard from the caller yet");
    call.max_gap_ms = 80;
    EXPECT_EQ(judge(call).sentence, "alive, after a gap of 80 ms");
    EXPECT_EQ(judge(call).mood, Mood::Odd);
    call.since_last_sent_ms = 150;
    EXPECT_EQ(judge(call).sentence, "STALLED: nothing sent for 150 ms");
    EXPECT_EQ(judge(call).mood, Mood::Bad);
    call.sent_packets = 0;
    EXPECT_EQ(judge(call).sentence, "SILENT: 12345 ms since the answer and no packet sent");
    EXPECT_EQ(judge(call).mood, Mood::Bad);
    call.duration_ms = 10;
    EXPECT_EQ(judge(call).mood, Mood::Odd);
    call.state = "held";
    EXPECT_EQ(judge(call).mood, Mood::Good);
    call.state = "ringing";
    EXPECT_EQ(judge(call).sentence, "not answered yet");
    call.state = "ended";
    call.end_reason = "caller-hangup";
    EXPECT_EQ(judge(call).sentence, "ended: caller-hangup");
}

}  // namespace
}  // namespace offhook::cli
