#include "glib/json_body.h"

#include <gtest/gtest.h>

namespace offhook::glib {
namespace {

TEST(JsonBody, ReadsStringsOfAnObject) {
    const auto body = JsonBody::parse(R"({"digits":"12#","n":5,"o":{}})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->text("digits"), "12#");
    EXPECT_FALSE(body->text("n"));
    EXPECT_FALSE(body->text("o"));
    EXPECT_FALSE(body->text("missing"));
}

TEST(JsonBody, ReadsWhatAnswersAreMadeOf) {
    const auto body =
        JsonBody::parse(R"({"n":5,"f":47.0,"h":0.5,"huge":1e300,"yes":true,"none":null,
        "o":{"in":{"t":"deep"}},"list":[{"t":"a"},7,{"t":"b"}],"names":["x",1,"y",null]})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->whole("n"), 5);
    EXPECT_EQ(body->whole("f"), 47);
    EXPECT_FALSE(body->whole("h"));
    EXPECT_FALSE(body->whole("huge"));
    EXPECT_FALSE(body->whole("yes"));
    EXPECT_EQ(body->boolean("yes"), true);
    EXPECT_FALSE(body->boolean("n"));
    EXPECT_FALSE(body->text("none"));
    EXPECT_FALSE(body->object("none"));
    EXPECT_EQ(body->object("o")->object("in")->text("t"), "deep");
    const auto list = body->objects("list");
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[1].text("t"), "b");
    EXPECT_EQ(body->texts("names"), (std::vector<std::string>{"x", "y"}));
    EXPECT_TRUE(body->texts("list").empty());
    EXPECT_TRUE(body->objects("missing").empty());
}

TEST(JsonBody, APartOutlivesTheWhole) {
    std::optional<JsonBody> part;
    {
        const auto body = JsonBody::parse(R"({"o":{"t":"kept"}})");
        part = body->object("o");
    }
    EXPECT_EQ(part->text("t"), "kept");
}

// json-glib would read them, and leak what it read first.
TEST(JsonBody, IsOneObjectAndNothingElse) {
    for (const char* text : {R"({"a":1}{"a":2})",
                             R"({"a":1} 7)",
                             R"(7 {"a":1})",
                             R"([] {"a":1})",
                             R"(var x = {"a":1})",
                             R"({"a":/*{*/1}{"b":2}/*}*/)",
                             "{\"a\":1}#x\n",
                             R"({"a":1}//)",
                             R"({'a':1})",
                             R"({"a":1)",
                             "{}}"}) {
        EXPECT_FALSE(JsonBody::parse(text)) << text;
    }
    for (const char* text : {" {\"a\":-1.5E+3}\r\n", R"({"a":"/*{# '"})", "{}", R"({"a":"\\"})"}) {
        EXPECT_TRUE(JsonBody::parse(text)) << text;
    }
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
}  // namespace offhook::glib
