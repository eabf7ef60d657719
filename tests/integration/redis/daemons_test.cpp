// One user, one place, whichever daemon: browsers race for it by the WebSocket of channels.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "harness/daemon.h"
#include "harness/redis.h"
#include "race_client.h"

namespace offhook::harness {
namespace {

constexpr int kRaces = 1'000;
constexpr int kAttempts = 10;
constexpr int kAtOnce = 4;  ///< races beside each other, each of a user of its own

std::string tables(const std::string& redis_url) {
    std::string text =
        "[[channel]]\nname = \"race\"\nmax_members = 64\n"
        "[connections]\nmax_claims = 1000000\nclaim_window_s = 1\n";
    if (!redis_url.empty()) text += "[redis]\nurl = \"" + redis_url + "\"\n";
    return text;
}

Daemon::Options with(const std::string& tables) {
    Daemon::Options options;
    options.more = tables;
    return options;
}

/// Everybody's failures, for one assertion on the test's own thread.
struct Totals {
    std::atomic<int> races{0}, wrong{0}, joined{0}, replaced{0}, refused{0}, broken{0};
    std::string first_wrong;
};

void run_races(const std::vector<std::string>& addresses, Totals& totals) {
    std::vector<std::thread> threads;
    std::atomic<int> next{0};
    std::mutex mutex;
    for (int i = 0; i < kAtOnce; ++i) {
        threads.emplace_back([&] {
            for (int number = next++; number < kRaces; number = next++) {
                const RaceResult result =
                    race(addresses, "race", "user-" + std::to_string(number), kAttempts);
                ++totals.races;
                totals.joined += result.joined;
                totals.replaced += result.replaced;
                totals.refused += result.refused;
                totals.broken += result.broken;
                if (result.live == 1 && result.over() == kAttempts - 1) continue;
                ++totals.wrong;
                const std::scoped_lock lock(mutex);
                if (!totals.first_wrong.empty()) continue;
                totals.first_wrong = "race " + std::to_string(number) + ": " +
                                     std::to_string(result.live) + " live, " +
                                     std::to_string(result.over()) + " over";
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

void expect_one_each(const Totals& totals) {
    EXPECT_EQ(totals.wrong, 0) << totals.first_wrong;
    EXPECT_EQ(totals.races, kRaces);
    EXPECT_EQ(totals.broken, 0) << "who is told to go is told why";
    EXPECT_GE(totals.joined, kRaces);
    EXPECT_GT(totals.replaced, kRaces) << "they did not meet";
    ::testing::Test::RecordProperty("joined", totals.joined);
    ::testing::Test::RecordProperty("replaced", totals.replaced);
    ::testing::Test::RecordProperty("refused", totals.refused);
}

bool is_empty(Daemon& daemon) {
    return eventually(seconds(10), &daemon.process(), [&] {
        return daemon.get("/api/v1/connections").body.find("\"channel\"") == std::string::npos;
    });
}

TEST(Races, OnOneDaemon) {
    TempDir folder;
    Daemon daemon(folder, with(tables({})));
    Totals totals;
    run_races({daemon.http_address()}, totals);
    expect_one_each(totals);
    EXPECT_TRUE(is_empty(daemon));
}

TEST(Races, OnTwoDaemonsWithOneRedis) {
    if (!RedisServer::is_unpacked()) GTEST_SKIP() << "no redis-server: run scripts/peers";
    RedisServer redis;
    TempDir here, there;
    Daemon a(here, with(tables(redis.unix_url())));
    Daemon b(there, with(tables(redis.unix_url())));
    for (Daemon* daemon : {&a, &b}) ASSERT_TRUE(daemon->wait_event("redis.connected"));
    Totals totals;
    run_races({a.http_address(), b.http_address()}, totals);
    expect_one_each(totals);
    EXPECT_TRUE(is_empty(a));
    EXPECT_TRUE(is_empty(b));
    EXPECT_EQ(redis.ask({"DBSIZE"}), "1\n") << redis.ask({"KEYS", "*"});
    EXPECT_NE(a.get("/health").body.find("redis at "), std::string::npos);
}

TEST(Races, ADaemonThatIsKilledGivesItsPlacesUp) {
    if (!RedisServer::is_unpacked()) GTEST_SKIP() << "no redis-server: run scripts/peers";
    RedisServer redis;
    TempDir here, there;
    const std::string quick = tables(redis.unix_url()) + "lease_s = 2\n";
    Daemon a(here, with(quick)), b(there, with(quick));
    for (Daemon* daemon : {&a, &b}) ASSERT_TRUE(daemon->wait_event("redis.connected"));
    const auto anna = come(a.http_address(), "race", "anna");
    ASSERT_TRUE(anna);
    EXPECT_EQ(redis.ask({"EXISTS", "offhook:place:race:anna"}), "1\n");
    a.process().signal(SIGKILL);
    const auto killed = Clock::now();
    const RaceResult result = race({b.http_address()}, "race", "anna", 1);
    EXPECT_EQ(result.live, 1);
    EXPECT_GE(Clock::now() - killed, milliseconds(900)) << "its lease was not waited for";
}

}  // namespace
}  // namespace offhook::harness
