#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace offhook::base {
namespace {

TEST(JsonWriter, NestsAndSeparates) {
    JsonWriter w;
    w.begin_object()
        .field("a", 1)
        .key("list")
        .begin_array()
        .value(1)
        .value("x")
        .begin_object()
        .end()
        .end();
    w.key("n").null().field("t", true).end();
    EXPECT_EQ(w.text(), R"({"a":1,"list":[1,"x",{}],"n":null,"t":true})");
}

TEST(JsonWriter, Numbers) {
    JsonWriter w;
    w.begin_array().value(0.2).value(-127.0).value(1234567.8).value(
        std::numeric_limits<double>::quiet_NaN());
    w.value(std::numeric_limits<std::uint64_t>::max())
        .value(std::numeric_limits<std::int64_t>::min())
        .end();
    EXPECT_EQ(w.text(), "[0.2,-127,1234567.8,null,18446744073709551615,-9223372036854775808]");
}

TEST(JsonWriter, AnyBytesAreValidJson) {
    JsonWriter w;
    w.begin_object().field("\"k\"", std::string_view("a\"\\\n\0\xFFz", 7)).end();
    EXPECT_EQ(w.text(), "{\"\\\"k\\\"\":\"a\\\"\\\\\\u000a\\u0000\xEF\xBF\xBDz\"}");
}

}  // namespace
}  // namespace offhook::base
