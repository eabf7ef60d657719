#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "cli/connections_verb.h"
#include "cli/http_get.h"

namespace offhook::cli {
namespace {

TEST(ConnectionsTable, LinesUp) {
    const auto table = connections_table(R"json({"items":[
      {"id":"c-0123456789ab","kind":"channel","user":"anna","channel":"sales",
       "address":"127.0.0.1:51000","state":"live","age_s":600,"received":{"messages":40,"bytes":1},
       "sent":{"messages":90,"bytes":2},"end_reason":null},
      {"id":"c-2","kind":"ai","user":null,"channel":null,"address":null,"state":"ended","age_s":5,
       "end_reason":"stale"}],"total":2})json");
    ASSERT_TRUE(table);
    EXPECT_EQ(*table,
              "ID              KIND     STATE  USER  CHANNEL  ADDRESS          AGE    IN  OUT\n"
              "c-0123456789ab  channel  live   anna  sales    127.0.0.1:51000  600 s  40  90\n"
              "c-2             ai       stale  -     -        -                5 s    0   0\n");
}

TEST(ConnectionsTable, WithoutAnyAndWithoutSense) {
    EXPECT_EQ(connections_table(R"({"items":[],"total":0})"), "there are none\n");
    EXPECT_FALSE(connections_table("<html>"));
    const auto hostile = connections_table("{\"items\":[{\"user\":\"a\\u001b[31m\\n\"}]}");
    ASSERT_TRUE(hostile);
    EXPECT_EQ(hostile->find('\x1b'), std::string::npos);
}

TEST(CleanupText, SaysWhoWent) {
    EXPECT_EQ(cleanup_text(R"json({"removed":1,"kept":5,"removed_connections":[
                  {"id":"c-19","kind":"channel","user":"bo","channel":"sales","reason":"stale"}]})json"),
              "1 removed, 5 kept\nc-19 channel bo sales: stale\n");
    EXPECT_FALSE(cleanup_text("[]"));
}

TEST(ReadToken, IsTheOneWordOfTheFile) {
    char name[] = "/tmp/offhook-token-XXXXXX";
    const int fd = mkstemp(name);
    ASSERT_GE(fd, 0);
    close(fd);
    const auto write = [&](const char* text) { std::ofstream(name) << text; };
    write("  oh_abc\n");
    EXPECT_EQ(read_token(name), "oh_abc");
    write("");
    EXPECT_FALSE(read_token(name));
    write("two words");
    EXPECT_FALSE(read_token(name));
    unlink(name);
    EXPECT_FALSE(read_token(name));
}

}  // namespace
}  // namespace offhook::cli
