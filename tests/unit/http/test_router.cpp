#include "http/router.h"

#include <gtest/gtest.h>

namespace offhook::http {
namespace {

class Routes : public ::testing::Test {
protected:
    Routes() {
        router_.add("GET", "/health", Target{});
        router_.add("GET", "/calls/{id}", {});
        router_.add("POST", "/calls/{id}/hangup", {});
        router_.add("DELETE", "/calls/{id}", {});
    }
    Router router_;
};

TEST_F(Routes, FindsByMethodAndPath) {
    EXPECT_NE(router_.find("GET", "/health").target, nullptr);
    EXPECT_NE(router_.find("HEAD", "/health").target, nullptr);
    const auto match = router_.find("POST", "/calls/c-1/hangup");
    ASSERT_NE(match.target, nullptr);
    EXPECT_EQ(match.params.at("id"), "c-1");
    EXPECT_EQ(match.pattern, "/calls/{id}/hangup");
}

TEST_F(Routes, SaysWhichMethodsAPathHas) {
    const auto match = router_.find("POST", "/calls/c-1");
    EXPECT_EQ(match.target, nullptr);
    EXPECT_EQ(match.pattern, "/calls/{id}");
    EXPECT_EQ(match.allow, "GET, HEAD, DELETE");
}

TEST_F(Routes, NothingElseMatches) {
    for (const char* path : {"",
                             "/",
                             "//",
                             "health",
                             "/health/",
                             "/Health",
                             "/calls",
                             "/calls/",
                             "/calls//hangup",
                             "/calls/a/b/c",
                             "*"}) {
        EXPECT_TRUE(router_.find("GET", path).pattern.empty()) << path;
    }
}

}  // namespace
}  // namespace offhook::http
