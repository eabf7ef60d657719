#include "events/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offhook::events {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Glob, StarsStandForAnyText) {
    EXPECT_TRUE(matches("call.*", "call.answered"));
    EXPECT_TRUE(matches("*", "anything"));
    EXPECT_TRUE(matches("*", ""));
    EXPECT_TRUE(matches("*.first_*_sent", "rtp.first_packet_sent"));
    EXPECT_TRUE(matches("call.ended", "call.ended"));
    EXPECT_TRUE(matches("*a*b", "aabab"));
    EXPECT_FALSE(matches("call.*", "recall.answered"));
    EXPECT_FALSE(matches("call.ended", "call.ended2"));
    EXPECT_FALSE(matches("*a*b", "aaba"));
    EXPECT_FALSE(matches("", "a"));
}

// A pattern of stars must not cost more than its length times the text's.
TEST(Glob, ManyStarsAreNoTrap) {
    const std::string text(64, 'a');
    std::string glob;
    for (int i = 0; i < 31; ++i) glob += "*a";
    EXPECT_FALSE(matches(glob + "b", text));
}

TEST(Types, AreAListOfGlobs) {
    EXPECT_THAT(*parse_types("call.*,rtp.keepalive"), ElementsAre("call.*", "rtp.keepalive"));
    EXPECT_THAT(*parse_types(""), IsEmpty());
    for (const char* bad : {"call.*,,rtp", "Call", "a b", ","}) {
        const auto refused = parse_types(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_THAT(refused.error().message, HasSubstr("call.*,rtp.*"));
    }
    EXPECT_FALSE(parse_types(std::string(kMaxGlobBytes + 1, 'a')));
    std::string many = "a";
    for (std::size_t i = 1; i < kMaxGlobs; ++i) many += ",a";
    EXPECT_TRUE(parse_types(many));
    EXPECT_FALSE(parse_types(many + ",a"));
}

TEST(Levels, HaveNames) {
    EXPECT_EQ(*parse_level("warning"), log::Level::Warning);
    EXPECT_FALSE(parse_level("debug"));
    EXPECT_FALSE(parse_level(""));
}

TEST(Filter, LetsPassWhatMatchesAllThatIsAsked) {
    Event event;
    event.type = "call.answered";
    event.call = "c-1";
    event.account = "desk";
    event.channel = "lobby";
    event.level = log::Level::Info;
    EXPECT_TRUE(Filter{}.takes(event));
    EXPECT_TRUE((Filter{.types = {"rtp.*", "call.*"}, .call = "c-1"}.takes(event)));
    EXPECT_TRUE((Filter{.channel = "lobby", .account = "desk"}.takes(event)));
    EXPECT_FALSE((Filter{.types = {"rtp.*"}}.takes(event)));
    EXPECT_FALSE((Filter{.call = "c-2"}.takes(event)));
    EXPECT_FALSE((Filter{.account = "other"}.takes(event)));
    EXPECT_FALSE((Filter{.channel = "other"}.takes(event)));
    EXPECT_FALSE((Filter{.level = log::Level::Warning}.takes(event)));
}

}  // namespace
}  // namespace offhook::events
