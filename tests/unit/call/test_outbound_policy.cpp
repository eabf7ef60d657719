// What may be called, how often, and which order is the same as one before.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/monotonic.h"
#include "call/destination.h"
#include "call/outbound_policy.h"

namespace offhook::call {
namespace {

using base::kNsPerS;
using Why = model::OrderRefusal::Why;

struct DestinationCase {
    const char* to;
    const char* normal;  ///< nullptr: refused
};

TEST(Destination, OneSpellingForEachPlace) {
    for (const DestinationCase& c : std::vector<DestinationCase>{
             {"+4930123456", "+4930123456"},
             {"anna", "anna"},
             {"*72#", "*72#"},
             {"sip:101@pbx.example.com", "101"},
             {"SIP:101@PBX.Example.com", "101"},
             {"sip:101@pbx.example.com;transport=tcp", "101"},
             {"sip:101@pbx.example.com:5070", "sip:101@pbx.example.com:5070"},
             {"sips:101@pbx.example.com", "sips:101@pbx.example.com"},
             {"sip:101@Other.example", "sip:101@other.example"},
             {"sip:101@[::1]:5060", "sip:101@[::1]:5060"},
             {"", nullptr},
             {"+49 30 123456", nullptr},
             {"101@pbx.example.com", nullptr},
             {"tel:+4930123456", nullptr},
             {"sip:pbx.example.com", nullptr},
             {"sip:@pbx.example.com", nullptr},
             {"sip:101@", nullptr},
             {"sip:101@a@b", nullptr},
             {"sip:101:secret@pbx.example.com", nullptr},
             {"sip:101@pbx.example.com?Replaces=x", nullptr},
             {"sip:1%3001@pbx.example.com", nullptr},
             {"sip:101@pbx\r\nX: y", nullptr},
             {"101\n", nullptr}}) {
        const auto normal = normal_destination(c.to, "pbx.example.com");
        EXPECT_EQ(normal.value_or("refused"), c.normal ? c.normal : "refused") << c.to;
    }
    EXPECT_FALSE(normal_destination(std::string(65, '1'), ""));
    EXPECT_TRUE(normal_destination(std::string(64, '1'), ""));
}

TEST(Destination, ANumberPatternDoesNotReachForeignHosts) {
    const std::vector<std::string> germany{"+49*", "1??"};
    EXPECT_TRUE(is_destination_allowed("+4930123456", germany));
    EXPECT_TRUE(is_destination_allowed("101", germany));
    EXPECT_FALSE(is_destination_allowed("+18005550100", germany));
    EXPECT_FALSE(is_destination_allowed("sip:+4930123456@evil.example", germany));
    EXPECT_FALSE(is_destination_allowed("101", {}));
    EXPECT_TRUE(is_destination_allowed("sip:7@10.0.0.1", {"sip:*@10.0.0.1"}));
}

TEST(OutboundPolicy, IsOffByDefaultAndAnEmptyListAllowsNothing) {
    OutboundPolicy policy;
    EXPECT_EQ(policy.admit("a", {}, "101", 0)->why, Why::NotAllowed);
    const auto refusal = policy.admit("a", {.is_allowed = true, .destinations = {}}, "101", 0);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->why, Why::NotAllowed);
    EXPECT_EQ(refusal->field, "to");
}

TEST(OutboundPolicy, CountsByTheMinuteAndAccount) {
    OutboundPolicy policy;
    const OutboundRules rules{.is_allowed = true, .destinations = {"*"}, .per_minute = 2};
    EXPECT_FALSE(policy.admit("a", rules, "1", 0));
    EXPECT_FALSE(policy.admit("a", rules, "1", 10 * kNsPerS));
    const auto refusal = policy.admit("a", rules, "1", 20 * kNsPerS);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->why, Why::TooMany);
    EXPECT_EQ(refusal->retry_after, std::chrono::seconds(40));
    EXPECT_FALSE(policy.admit("b", rules, "1", 20 * kNsPerS));
    // what is refused does not count
    EXPECT_TRUE(policy.admit("a", rules, "1", 60 * kNsPerS - 1));
    EXPECT_FALSE(policy.admit("a", rules, "1", 60 * kNsPerS));
    EXPECT_TRUE(policy.admit("a", rules, "1", 60 * kNsPerS));
    EXPECT_FALSE(policy.admit("a", rules, "1", 70 * kNsPerS));
}

TEST(OutboundPolicy, NoCallsAMinuteIsNone) {
    OutboundPolicy policy;
    const auto refusal =
        policy.admit("a", {.is_allowed = true, .destinations = {"*"}, .per_minute = 0}, "1", 0);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->retry_after, std::chrono::seconds(60));
}

model::PlaceOrder order(const std::string& key, const std::string& to = "101") {
    model::PlaceOrder o;
    o.account = "a";
    o.to = to;
    o.idempotency_key = key;
    return o;
}

TEST(Idempotency, TheSameKeyIsTheSameCallForADay) {
    OutboundPolicy policy;
    constexpr std::int64_t kDay = 24 * 3600 * kNsPerS;
    EXPECT_EQ(*policy.placed_before(order("k"), 0), std::nullopt);
    policy.remember(order("k"), {"c-1"}, 0);
    EXPECT_EQ(*policy.placed_before(order("k"), kDay - 1), model::CallId{"c-1"});
    EXPECT_EQ(policy.placed_before(order("k", "102"), 1).error().why, Why::KeyReused);
    EXPECT_EQ(*policy.placed_before(order("other"), 1), std::nullopt);
    EXPECT_EQ(*policy.placed_before(order("k"), kDay), std::nullopt);
}

TEST(Idempotency, NoKeyIsNoPromise) {
    OutboundPolicy policy;
    policy.remember(order(""), {"c-1"}, 0);
    EXPECT_EQ(*policy.placed_before(order(""), 1), std::nullopt);
}

TEST(Idempotency, MemoryIsBounded) {
    OutboundPolicy policy;
    for (int i = 0; i < 1001; ++i)
        policy.remember(order(std::to_string(i)), {"c-" + std::to_string(i)}, i);
    EXPECT_EQ(*policy.placed_before(order("0"), 2000), std::nullopt);
    EXPECT_EQ(*policy.placed_before(order("1"), 2000), model::CallId{"c-1"});
    EXPECT_EQ(*policy.placed_before(order("1000"), 2000), model::CallId{"c-1000"});
}

TEST(Idempotency, OrdersThatReadAlikeAreNotTheSame) {
    OutboundPolicy policy;
    model::PlaceOrder first = order("k");
    first.headers = {{"X-A", "1"}, {"X-B", "2"}};
    model::PlaceOrder second = order("k");
    second.headers = {{"X-A", "13:X-B1:2"}};
    policy.remember(first, {"c-1"}, 0);
    EXPECT_FALSE(policy.placed_before(second, 1));
}

TEST(Headers, OnlyHarmlessOnesPass) {
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_FALSE(check_headers({}));
    EXPECT_FALSE(
        check_headers({{"X-Order", "4711"}, {"subject", "Grüße"}, {"P-Early-Media", "x"}}));
    for (const Headers& bad : std::vector<Headers>{{{"Via", "SIP/2.0/UDP evil"}},
                                                   {{"Contact", "<sip:x@y>"}},
                                                   {{"Route", "<sip:x@y>"}},
                                                   {{"X-", "1"}},
                                                   {{"X-A B", "1"}},
                                                   {{"X-A:", "1"}},
                                                   {{"X-A", ""}},
                                                   {{"X-A", "a\r\nVia: b"}},
                                                   {{"X-A", std::string("a\0b", 3)}},
                                                   {{"X-A", "\xff"}},
                                                   {{"X-A", std::string(257, 'a')}},
                                                   Headers(17, {"X-A", "1"})}) {
        EXPECT_TRUE(check_headers(bad)) << bad.front().first;
    }
}

}  // namespace
}  // namespace offhook::call
