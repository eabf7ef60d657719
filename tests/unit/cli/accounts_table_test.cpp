#include <gtest/gtest.h>

#include "cli/accounts_verb.h"

namespace offhook::cli {
namespace {

TEST(AccountsTable, lines_up_and_says_what_is_wrong) {
    constexpr std::string_view kList = R"json({"items":[
      {"name":"desk","state":"registered","registered":true,
       "flow":"tls:pbx.example.com:5061 (192.0.2.7)","expires_in_s":212,"next_try_in_s":120,
       "last_status":200,"last_answer":"registered for 300 s"},
      {"name":"night-shift","state":"failed","registered":false,"flow":null,"expires_in_s":null,
       "next_try_in_s":1700,"last_status":401,"last_answer":"401: user or password are wrong"}],
      "next":null})json";
    const auto table = accounts_table(kList);
    ASSERT_TRUE(table);
    EXPECT_FALSE(table->is_all_well);
    EXPECT_EQ(table->text,
              "NAME         STATE       EXPIRES  NEXT TRY  FLOW\n"
              "desk         registered  212 s    120 s     tls:pbx.example.com:5061 (192.0.2.7)\n"
              "night-shift  failed      -        1700 s    -\n"
              "\n"
              "night-shift: 401: user or password are wrong\n");
}

TEST(AccountsTable, a_refused_refresh_is_told_but_no_failure_yet) {
    const auto table = accounts_table(
        R"({"items":[{"name":"a","state":"registered","registered":true,"last_status":503,"last_answer":"503: trouble"}]})");
    ASSERT_TRUE(table);
    EXPECT_TRUE(table->is_all_well);
    EXPECT_NE(table->text.find("a: 503: trouble"), std::string::npos);
}

TEST(AccountsTable, without_accounts_and_without_sense) {
    EXPECT_EQ(accounts_table(R"({"items":[]})")->text, "no [[account]] is configured\n");
    EXPECT_FALSE(accounts_table("<html>"));
    const auto hostile = accounts_table("{\"items\":[{\"name\":\"a\\u001b[31m\\n\",\"state\":7}]}");
    ASSERT_TRUE(hostile);
    EXPECT_EQ(hostile->text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace offhook::cli
