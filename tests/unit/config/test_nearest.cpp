#include "config/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace offhook::config {
namespace {

constexpr std::array<std::string_view, 3> kNames{"listen", "allow", "answer_delay_ms"};

TEST(Nearest, FindsTypos) {
    EXPECT_EQ(nearest("lisen", kNames), "listen");
    EXPECT_EQ(nearest("answer_delay", kNames), "answer_delay_ms");
    EXPECT_EQ(did_you_mean("alow", kNames), "; did you mean \"allow\"?");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
    EXPECT_EQ(nearest("zzzzzz", kNames), "");
    EXPECT_EQ(did_you_mean("zzzzzz", kNames), "");
    EXPECT_EQ(nearest(std::string(100'000, 'a'), kNames), "");
}

}  // namespace
}  // namespace offhook::config
