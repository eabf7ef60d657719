#include "config/toml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offhook::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TomlReader, TablesArraysAndLines) {
    const auto tables =
        read_toml("[http]\nlisten = \"a\"\n\n[[ai]]\nname = \"x\"\n[[ai]]\nname = \"y\"\n", "f");
    ASSERT_TRUE(tables);
    ASSERT_EQ(tables->size(), 3U);
    EXPECT_EQ((*tables)[0].section, "ai");
    EXPECT_TRUE((*tables)[0].is_array_element);
    EXPECT_EQ((*tables)[1].entries[0].line, 7);
    EXPECT_EQ((*tables)[2].section, "http");
    EXPECT_EQ((*tables)[2].entries[0].line, 2);
    EXPECT_EQ(std::get<std::string>(*(*tables)[2].entries[0].value), "a");
}

TEST(TomlReader, ParseErrorsHaveAPlace) {
    const auto bad = read_toml("[http]\nlisten = \n", "offhook.toml");
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, StartsWith("offhook.toml:2:"));
}

TEST(TomlReader, HostileTextIsAnErrorNotACrash) {
    for (const std::string& bad : {std::string("\0\xFF", 2),
                                   std::string(100'000, '['),
                                   "a = " + std::string(100'000, '['),
                                   std::string("[a]\n[a]\n"),
                                   std::string("a = 99999999999999999999")}) {
        EXPECT_FALSE(read_toml(bad, "f"));
    }
}

TEST(TomlValue, Literals) {
    EXPECT_EQ(read_toml_value("5"), Value(std::int64_t{5}));
    EXPECT_EQ(read_toml_value("0.5"), Value(0.5));
    EXPECT_EQ(read_toml_value("true"), Value(true));
    EXPECT_EQ(read_toml_value("\"x\""), Value(std::string("x")));
    EXPECT_EQ(read_toml_value("[\"a\", \"b\"]"), Value(std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(read_toml_value("[]"), Value(std::vector<std::string>{}));
}

TEST(TomlValue, ABareWordGetsTheHint) {
    const auto bad = read_toml_value("127.0.0.1:5000");
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, HasSubstr("a text needs quotes: \"127.0.0.1:5000\""));
}

TEST(TomlValue, NothingSlipsInBehind) {
    EXPECT_FALSE(read_toml_value("1\nother = 2"));
    EXPECT_FALSE(read_toml_value("1\n[section]"));
    EXPECT_FALSE(read_toml_value(""));
    EXPECT_FALSE(read_toml_value("{a = 1}"));
    EXPECT_FALSE(read_toml_value("[1, 2]"));
    EXPECT_FALSE(read_toml_value("1979-05-27"));
}

}  // namespace
}  // namespace offhook::config
