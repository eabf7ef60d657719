#include "api/json.h"

#include <gtest/gtest.h>

namespace offhook::api {
namespace {

TEST(JsonBody, ReadsStringsOfAnObject) {
    const auto body = JsonBody::parse(R"({"digits":"12#","n":5,"o":{}})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->text("digits"), "12#");
    EXPECT_FALSE(body->text("n"));
    EXPECT_FALSE(body->text("o"));
    EXPECT_FALSE(body->text("missing"));
}

TEST(JsonBody, DepthIsBoundedBeforeParsing) {
    const auto nested = [](int depth) {
        return "{\"a\":" + std::string(static_cast<std::size_t>(depth - 1), '[') +
               std::string(static_cast<std::size_t>(depth - 1), ']') + "}";
    };
    EXPECT_TRUE(JsonBody::parse(nested(16)));
    EXPECT_FALSE(JsonBody::parse(nested(17)));
    EXPECT_FALSE(JsonBody::parse(std::string(65'000, '[')));
    EXPECT_FALSE(JsonBody::parse(R"({"a":")" + std::string(60'000, '{')));
    EXPECT_TRUE(JsonBody::parse(R"({"a":"[[[[[[[[[[[[[[[[[[[[\"[[[["})"));
}

TEST(JsonBody, RefusesWhatIsNotAnObject) {
    for (const std::string& bad : {std::string(),
                                   std::string("null"),
                                   std::string("[]"),
                                   std::string("\"x\""),
                                   std::string("{"),
                                   std::string("{}}"),
                                   std::string("{\"a\":\"\xFF\"}"),
                                   std::string("{\"a\":\0}", 7),
                                   std::string("digits=1")}) {
        const auto body = JsonBody::parse(bad);
        ASSERT_FALSE(body) << bad;
        EXPECT_EQ(body.error().code, base::ErrorCode::Malformed);
    }
}

}  // namespace
}  // namespace offhook::api
