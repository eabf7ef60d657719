#include "cli/call_views.h"

#include <gtest/gtest.h>

#include "cli/text_table.h"

namespace offhook::cli {
namespace {

TEST(CallViews, ATableOfCalls) {
    const auto table = calls_table(R"json({"items":[
      {"id":"c-0123456789ab","state":"answered","duration_ms":65400,"from":"sip:anna@pbx","to":"sip:200@pbx",
       "ai":{"name":"desk"},"codec":"PCMU","end":null,"quality":{"mos":4.38},
       "stats":{"max_gap_ms":21.4,"received_packets":3270,"sent_packets":3269,"lost_packets":0}},
      {"id":"c-1","state":"ended","end":{"reason":"rtp-timeout"},"from":"\u001b[31m","ai":null,
       "quality":{"mos":null}}],"next":"1.c-1"})json");
    ASSERT_TRUE(table);
    EXPECT_EQ(*table,
              "ID              STATE        AGE   FROM          TO           AI    CODEC  MOS  GAP "
              "MS  IN    OUT   LOST\n"
              "c-0123456789ab  answered     1:05  sip:anna@pbx  sip:200@pbx  desk  PCMU   4.4  21  "
              "    3270  3269  0\n"
              "c-1             rtp-timeout  -     \\x1B[31m      -            -     -      -    -  "
              "     -     -     -\n"
              "... and more; --json and the API page through them\n");
    EXPECT_EQ(calls_table(R"({"items":[]})"), "there are none\n");
    EXPECT_FALSE(calls_table("<html>"));
    EXPECT_EQ(call_ids(R"({"items":[{"id":"c-1"},{"id":"c-2"}]})"), "c-1\nc-2\n");
}

TEST(CallViews, OneCallBeginsWithItsQuality) {
    const auto view = call_view(
        R"({"id":"c-1","state":"answered","quality":{"mos":4.4,"loss_share":0},"facts":{"headers":[{"name":"X-A","value":"1"}]},"texts":["a","b"]})");
    ASSERT_TRUE(view);
    EXPECT_LT(view->find("quality\n"), view->find("state "));
    EXPECT_NE(view->find("loss_share  0\n"), std::string::npos);
    EXPECT_NE(view->find("headers 1\n"), std::string::npos);
    EXPECT_NE(view->find("a, b\n"), std::string::npos);
}

TEST(CallViews, ADiagnosisSaysWhatToDo) {
    const auto sick = diagnosis_view(
        R"({"healthy":false,"issues":[{"code":"nothing-received","severity":"error","cause":"c","evidence":"e","fix":"f"}]})");
    ASSERT_TRUE(sick);
    EXPECT_FALSE(sick->is_healthy);
    EXPECT_EQ(sick->text, "error: nothing-received\n  cause     c\n  evidence  e\n  fix       f\n");
    const auto well = diagnosis_view(R"({"healthy":true,"issues":[]})");
    ASSERT_TRUE(well);
    EXPECT_TRUE(well->is_healthy);
    EXPECT_EQ(well->text, "nothing is wrong\n");
}

TEST(CallViews, TheBrokenHopIsMarked) {
    const auto view = hops_view(
        R"({"hops":[{"name":"received","packets":10,"ms":200.0,"since_last_ms":4,"state":"ok","detail":null},
            {"name":"decoded","packets":0,"ms":0,"since_last_ms":null,"state":"broken","detail":"no decoder"}],"broken":"decoded"})");
    ASSERT_TRUE(view);
    EXPECT_NE(view->find("->  decoded"), std::string::npos) << *view;
    EXPECT_EQ(view->find("->  received"), std::string::npos);
}

TEST(TextTable, LinesUpByLettersNotBytes) {
    TextTable table({"A", "B"});
    table.add({"jürgen", "1"});
    table.add({"anna", "2"});
    EXPECT_EQ(table.text(), "A       B\njürgen  1\nanna    2\n");
    EXPECT_EQ(duration_text(-1), "-");
    EXPECT_EQ(duration_text(3'723'900), "1:02:03");
}

}  // namespace
}  // namespace offhook::cli
