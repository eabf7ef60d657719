#include "http/origin_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace offhook::http {
namespace {

TEST(OriginGuard, Hosts) {
    const OriginGuard guard("10.0.0.5", {"pbx.example.org"});
    for (const char* good : {"localhost",
                             "LOCALHOST:5000",
                             "127.0.0.1:5000",
                             "[::1]:5000",
                             "[::1]",
                             "10.0.0.5:80",
                             "pbx.example.org",
                             "192.0.2.7:5000"}) {
        EXPECT_TRUE(guard.allows_host(good, "192.0.2.7")) << good;
    }
    for (const char* bad : {"",
                            ":5000",
                            "evil.example",
                            "localhost.evil.example",
                            "evil.example:5000",
                            "pbx.example.org.evil.example",
                            "10.0.0.6",
                            "localhost:5000x",
                            "localhost@evil.example",
                            "[::1",
                            "[::1]x",
                            "[]",
                            "[::2]:5000",
                            "localhost:123456789"}) {
        EXPECT_FALSE(guard.allows_host(bad, "192.0.2.7")) << bad;
    }
    EXPECT_FALSE(guard.allows_host("", ""));
}

TEST(OriginGuard, Origins) {
    EXPECT_TRUE(OriginGuard::is_same_origin("http://localhost:5000", "localhost:5000"));
    EXPECT_TRUE(OriginGuard::is_same_origin("https://LocalHost", "localhost"));
    for (const char* bad : {"",
                            "null",
                            "http://localhost",
                            "http://localhost:5001",
                            "http://evil.example",
                            "http://localhost:5000.evil.example",
                            "http://localhost:5000/",
                            "ftp://localhost:5000",
                            "localhost:5000"}) {
        EXPECT_FALSE(OriginGuard::is_same_origin(bad, "localhost:5000")) << bad;
    }
}

}  // namespace
}  // namespace offhook::http
