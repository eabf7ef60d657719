// [redis] and [connections]: what can be said, and which errors are told how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/redis_url.h"
#include "config_file_test.h"

namespace offhook::config {
namespace {

using ::testing::HasSubstr;

class RedisConfig : public ConfigFileTest {};

TEST(RedisUrl, Good) {
    const auto plain = parse_redis_url("redis://redis.example.com");
    ASSERT_TRUE(plain);
    EXPECT_FALSE(plain->is_tls);
    EXPECT_EQ(plain->where(), "redis.example.com:6379");
    EXPECT_EQ(plain->database, 0);
    const auto full = parse_redis_url("rediss://offhook@[2001:db8::1]:6380/12");
    ASSERT_TRUE(full);
    EXPECT_TRUE(full->is_tls);
    EXPECT_EQ(full->user, "offhook");
    EXPECT_EQ(full->where(), "[2001:db8::1]:6380");
    EXPECT_EQ(full->database, 12);
    const auto path = parse_redis_url("unix:/run/redis/redis.sock?db=3");
    ASSERT_TRUE(path);
    EXPECT_EQ(path->where(), "/run/redis/redis.sock");
    EXPECT_TRUE(path->host.empty());
    EXPECT_EQ(path->database, 3);
}

TEST(RedisUrl, Bad) {
    for (const std::string& bad : {std::string(),
                                   std::string("redis"),
                                   std::string("http://host"),
                                   std::string("redis://"),
                                   std::string("redis://host:0"),
                                   std::string("redis://host:70000"),
                                   std::string("redis://host/x"),
                                   std::string("redis://host/-1"),
                                   std::string("redis://host/99999"),
                                   std::string("redis://ho st"),
                                   std::string("redis://host/0/1"),
                                   std::string("unix:redis.sock"),
                                   std::string("unix:/s?db=x"),
                                   std::string("unix:/s?database=1"),
                                   "unix:/" + std::string(107, 'x'),
                                   "redis://" + std::string(600, 'x')}) {
        EXPECT_FALSE(parse_redis_url(bad)) << bad;
    }
    EXPECT_THAT(parse_redis_url("redis://:hunter2@host").error().text(),
                HasSubstr("must have no password"));
}

TEST_F(RedisConfig, Everything) {
    const auto loaded = load_text(
        "[redis]\nurl = \"rediss://offhook@redis.example.com/1\"\npassword_env = \"PASSWORD\"\n"
        "prefix = \"east:\"\nlease_s = 6\nwhen_away = \"refuse\"\n"
        "[connections]\nmax_claims = 9\nclaim_window_s = 30\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    const Redis& redis = loaded->config.redis;
    EXPECT_EQ(redis.url, "rediss://offhook@redis.example.com/1");
    EXPECT_EQ(redis.prefix, "east:");
    EXPECT_EQ(redis.lease_s, 6);
    EXPECT_EQ(redis.when_away, "refuse");
    EXPECT_EQ(loaded->config.connections.max_claims, 9);
    EXPECT_EQ(loaded->config.connections.claim_window_s, 30);
}

TEST_F(RedisConfig, WhatDoesNotGoTogether) {
    EXPECT_THAT(problem_of("[redis]\npassword_env = \"A\"\n"), HasSubstr("redis.url is missing"));
    EXPECT_THAT(problem_of("[redis]\nurl = \"redis://h\"\npassword_env = \"A\"\n"
                           "password_credential = \"b\"\n"),
                HasSubstr("keep one of"));
    EXPECT_THAT(problem_of("[redis]\nurl = \"redis://u@h\"\n"), HasSubstr("url names a user"));
    EXPECT_THAT(problem_of("[redis]\nurl = \"redis://h\"\nca_file = \"" + file_ + "\"\n"),
                HasSubstr("for a rediss:// url only"));
    EXPECT_THAT(problem_of("[redis]\nurl = \"redis://u:secret@h\"\n"),
                HasSubstr("must have no password"));
    EXPECT_THAT(problem_of("[redis]\nlease_s = 1\n"), HasSubstr("2 to 300"));
    EXPECT_THAT(problem_of("[redis]\nprefix = \"a b\"\n"), HasSubstr("1 to 64"));
    EXPECT_THAT(problem_of("[redis]\nwhen_away = \"wait\"\n"), HasSubstr("admit, refuse"));
}

}  // namespace
}  // namespace offhook::config
