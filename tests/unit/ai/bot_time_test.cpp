#include "ai/bot_time.h"

#include <gtest/gtest.h>

namespace offhook::ai {
namespace {

TEST(BotTime, PromptsAreNotTheBots) {
    BotTime time;
    EXPECT_EQ(time.of(500), 500U);
    time.add_prompt(0, 1000);  // the greeting
    time.add_prompt(1600, 400);
    time.add_prompt(2000, 100);
    EXPECT_EQ(time.of(0), 0U);
    EXPECT_EQ(time.of(999), 0U);
    EXPECT_EQ(time.of(1000), 0U);
    EXPECT_EQ(time.of(1300), 300U);
    EXPECT_EQ(time.of(1600), 600U);
    EXPECT_EQ(time.of(1800), 600U);
    EXPECT_EQ(time.of(2100), 600U);
    EXPECT_EQ(time.of(2101), 601U);
    time.forget_before(1999);  // the first is past
    EXPECT_EQ(time.of(1800), 600U);
    time.forget_before(2100);
    EXPECT_EQ(time.of(2101), 601U);
}

}  // namespace
}  // namespace offhook::ai
