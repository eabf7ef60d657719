#include "events/spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/trace_context.h"

namespace offhook::events {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kCall = "c-0123456789ab";

Event event(const std::string& type,
            std::int64_t at_ns,
            std::vector<std::pair<std::string, Event::Value>> fields = {}) {
    Event made;
    made.type = type;
    made.call = kCall;
    made.realtime_ns = at_ns;
    made.message = "m";
    made.fields = std::move(fields);
    return made;
}

Event ended(std::int64_t at_ns, const char* end_class) {
    return event("call.ended", at_ns, {{"class", std::string(end_class)}});
}

const Span* named(const std::vector<Span>& spans, const std::string& name, int nth = 0) {
    for (const Span& span : spans) {
        if (span.name == name && nth-- == 0) return &span;
    }
    return nullptr;
}

TEST(Spans, TellACallWithAReconnect) {
    SpanMaker maker;
    const std::vector<std::pair<std::string, Event::Value>> bot{{"ai", std::string("bot")}};
    EXPECT_THAT(maker.take(event("call.incoming", 100, {{"from", std::string("x")}})), IsEmpty());
    EXPECT_THAT(maker.take(event("call.answered", 200)), IsEmpty());
    EXPECT_THAT(maker.take(event("rtp.first_packet_sent", 210)), IsEmpty());
    EXPECT_THAT(maker.take(event("ai.connected", 300, bot)), IsEmpty());
    EXPECT_THAT(maker.take(event("ai.lost", 400, bot)), IsEmpty());
    EXPECT_THAT(maker.take(event("ai.back", 500, bot)), IsEmpty());
    EXPECT_EQ(maker.open(), 1U);
    const auto spans = maker.take(ended(600, "success"));
    EXPECT_EQ(maker.open(), 0U);
    ASSERT_EQ(spans.size(), 6U);
    const Span& call = spans.front();
    EXPECT_EQ(call.name, "call");
    EXPECT_EQ(call.parent_id, "");
    EXPECT_FALSE(call.is_error);
    EXPECT_EQ(call.trace_id, model::trace_id_of(kCall));
    for (const auto& [name, nth, begun, over] : {std::tuple{"call", 0, 100, 600},
                                                 std::tuple{"setup", 0, 100, 200},
                                                 std::tuple{"first audio", 0, 200, 210},
                                                 std::tuple{"ai connect", 0, 200, 300},
                                                 std::tuple{"ai connection", 0, 300, 400},
                                                 std::tuple{"ai connection", 1, 500, 600}}) {
        const Span* span = named(spans, name, nth);
        ASSERT_NE(span, nullptr) << name;
        EXPECT_EQ(span->begun_ns, begun) << name;
        EXPECT_EQ(span->ended_ns, over) << name;
        if (span != &call) {
            EXPECT_EQ(span->parent_id, call.span_id);
        }
    }
    EXPECT_TRUE(named(spans, "ai connection")->is_error);
    EXPECT_FALSE(named(spans, "ai connection", 1)->is_error);
    EXPECT_EQ(named(spans, "ai connection", 1)->span_id,
              model::span_id_of(kCall, model::ai_connection_part("bot", 2)));
}

TEST(Spans, OfACallThatNobodyAnsweredAreOne) {
    SpanMaker maker;
    EXPECT_THAT(maker.take(event("call.placed", 100)), IsEmpty());
    const auto spans = maker.take(ended(200, "callee"));
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_TRUE(spans[0].is_error);
    EXPECT_EQ(spans[0].error, "m");
    EXPECT_TRUE(spans[0].is_client);
    EXPECT_THAT(maker.take(ended(300, "success")), IsEmpty());  // of a call that did not begin
}

TEST(Otlp, WritesIdsInHexAndTimesAsText) {
    SpanMaker maker;
    (void)maker.take(event("call.incoming", 1'700'000'000'000'000'001));
    auto over = ended(1'700'000'001'000'000'000, "success");
    over.fields.emplace_back("n", std::int64_t{7});
    over.fields.emplace_back("x", 0.5);
    over.fields.emplace_back("yes", true);
    const std::string json = otlp_json(maker.take(over), "desk");
    EXPECT_THAT(json, HasSubstr(R"("startTimeUnixNano":"1700000000000000001")"));
    EXPECT_THAT(json, HasSubstr(R"({"key":"offhook.n","value":{"intValue":"7"}})"));
    EXPECT_THAT(json, HasSubstr(R"({"key":"offhook.x","value":{"doubleValue":0.5}})"));
    EXPECT_THAT(json, HasSubstr(R"({"key":"offhook.yes","value":{"boolValue":true}})"));
    EXPECT_THAT(json, HasSubstr(R"("status":{"code":1})"));
    EXPECT_THAT(json, Not(HasSubstr("parentSpanId")));
}

TEST(TraceContext, IsOfTheCall) {
    EXPECT_THAT(model::trace_id_of(kCall), MatchesRegex("[0-9a-f]{20}0123456789ab"));
    EXPECT_EQ(model::trace_id_of(kCall), model::trace_id_of(kCall));
    EXPECT_THAT(model::trace_id_of("strange"), MatchesRegex("[0-9a-f]{32}"));
    EXPECT_THAT(model::span_id_of(kCall), MatchesRegex("[0-9a-f]{16}"));
    EXPECT_NE(model::span_id_of(kCall), model::span_id_of(kCall, "x"));
    EXPECT_EQ(model::traceparent(kCall, "x"),
              "00-" + model::trace_id_of(kCall) + "-" + model::span_id_of(kCall, "x") + "-01");
}

}  // namespace
}  // namespace offhook::events
