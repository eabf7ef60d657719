// Places over a real Redis: two daemons' worth of leases in one process.
#include <random>

#include "two_daemons.h"

namespace offhook::connection {
namespace {

using base::ErrorCode;
using harness::RedisServer;
using Status = model::HealthCheck::Status;

const Place kPlace{.user = "anna", .channel = "ward 7"};

class Leases : public ::testing::Test {
protected:
    void SetUp() override {
        if (!RedisServer::is_unpacked()) GTEST_SKIP() << "no redis-server: run scripts/peers";
        server = std::make_unique<RedisServer>();
    }
    [[nodiscard]] RedisLeases::Settings settings(
        milliseconds lease = seconds(10),
        RedisLeases::WhenAway when_away = RedisLeases::WhenAway::Admit) const {
        RedisLeases::Settings settings;
        settings.link.url = *config::parse_redis_url(server->unix_url());
        settings.lease = lease;
        settings.when_away = when_away;
        return settings;
    }
    bool both_ok(Holder& a, Holder& b) {
        return loop.until(seconds(10), [&] { return a.is_ok() && b.is_ok(); });
    }

    std::unique_ptr<RedisServer> server;
    Loop loop;
    World world;
};

TEST_F(Leases, OfFiftyWhoAskOnTwoDaemonsOneIsLeft) {
    Holder a(world, loop, settings()), b(world, loop, settings());
    ASSERT_TRUE(both_ok(a, b));
    std::minstd_rand random(6);
    for (int race = 0; race < 1'000; ++race) {
        const Place place{.user = "anna", .channel = "race " + std::to_string(race)};
        for (int attempt = 0; attempt < 50; ++attempt) {
            (random() % 2 == 0 ? a : b).ask(place);
            if (random() % 3 == 0) g_main_context_iteration(loop.get(), FALSE);
        }
        ASSERT_TRUE(loop.until(seconds(10),
                               [&] {
                                   return a.answered == a.asked && b.answered == b.asked &&
                                          world.holders[place.channel].size() == 1;
                               }))
            << "race " << race << ": " << world.holders[place.channel].size() << " left";
        ASSERT_EQ(a.held.size() + b.held.size(), 1U) << "race " << race;
        a.let_go_all();
        b.let_go_all();
    }
    EXPECT_EQ(world.most, 1U) << "two held a place at the same time";
    EXPECT_TRUE(world.has_risen);
    EXPECT_EQ(a.lost + b.lost, 0);
    EXPECT_EQ(a.asked + b.asked, 50'000);
    EXPECT_GT(a.wanted + b.wanted, 0);
    // Nothing but the counter is left behind.
    EXPECT_TRUE(loop.until(seconds(5), [&] { return server->ask({"DBSIZE"}) == "1\n"; }))
        << server->ask({"KEYS", "*"});
}

TEST_F(Leases, ADaemonThatDiedLosesItsPlacesWithTheLease) {
    const milliseconds lease(600);
    Holder a(world, loop, settings(lease)), b(world, loop, settings(lease));
    ASSERT_TRUE(both_ok(a, b));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    // Longer than the lease: it is renewed.
    loop.pass(lease * 2);
    EXPECT_EQ(a.lost, 0);
    a.die();
    const std::int64_t died_ns = base::monotonic_ns();
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return b.answered == 1; }));
    EXPECT_EQ(b.held.size(), 1U) << b.last_error;
    // Renewed at a third of it: at least half of it was left.
    EXPECT_GT(base::monotonic_ns() - died_ns, lease.count() * base::kNsPerMs / 3);
    EXPECT_TRUE(world.has_risen);
}

TEST_F(Leases, ALostMessageCostsAThirdOfALease) {
    const milliseconds lease(900);
    Holder a(world, loop, settings(lease)), b(world, loop, settings(lease));
    ASSERT_TRUE(both_ok(a, b));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    server->ask({"CLIENT", "KILL", "TYPE", "pubsub"});
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return b.held.size() == 1; }));
    EXPECT_EQ(a.wanted, 1);
    EXPECT_EQ(a.lost, 0);
    EXPECT_EQ(world.most, 1U);
}

TEST_F(Leases, WhoAskedEarlierAndStillWaitsIsRefused) {
    Holder a(world, loop, settings()), b(world, loop, settings());
    ASSERT_TRUE(both_ok(a, b));
    a.is_polite = false;
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.wanted == 1; }));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return b.answered == 1; }));
    EXPECT_EQ(b.refused[ErrorCode::Conflict], 1);
    const std::uint64_t first = a.held.begin()->first;
    a.let_go(kPlace, first);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 2; }));
    EXPECT_EQ(a.held.size(), 1U);
    EXPECT_GT(a.held.begin()->first, first);
}

TEST_F(Leases, WhileRedisIsAwayPlacesAreGivenAndTheNewestKeepsIts) {
    Holder a(world, loop, settings()), b(world, loop, settings());
    ASSERT_TRUE(both_ok(a, b));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    server->kill();
    ASSERT_TRUE(loop.until(seconds(5), [&] { return !a.is_ok() && !b.is_ok(); }));
    EXPECT_EQ(a.health().status, Status::Degraded);
    EXPECT_NE(a.health().detail.find("is away since"), std::string::npos) << a.health().detail;
    EXPECT_NE(a.health().detail.find("this daemon alone"), std::string::npos);
    // Within one daemon the rule holds on.
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 2 && a.held.size() == 1; }));
    EXPECT_EQ(a.wanted, 1);
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return b.held.size() == 1; }));
    EXPECT_EQ(a.lost, 0);
    const std::uint64_t newest = b.held.begin()->first;

    server->restart();
    ASSERT_TRUE(both_ok(a, b));
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.lost == 1; }));
    EXPECT_EQ(b.lost, 0);
    EXPECT_EQ(b.held.begin()->first, newest);
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    EXPECT_TRUE(b.held.empty());
    EXPECT_GT(a.held.begin()->first, newest);
    EXPECT_TRUE(world.has_risen);
}

TEST_F(Leases, WhoMustNotBeTwoIsRefusedWhileRedisIsAway) {
    const milliseconds lease(900);
    const auto strict = settings(lease, RedisLeases::WhenAway::Refuse);
    Holder a(world, loop, strict);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.is_ok(); }));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    server->kill();
    const std::int64_t killed_ns = base::monotonic_ns();
    ASSERT_TRUE(loop.until(seconds(5), [&] { return !a.is_ok(); }));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 2; }));
    EXPECT_EQ(a.refused[ErrorCode::Unavailable], 1);
    EXPECT_NE(a.last_error.find("redis is away"), std::string::npos) << a.last_error;
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.lost == 1; }));
    EXPECT_LE(base::monotonic_ns() - killed_ns, (lease.count() + 250) * base::kNsPerMs);
    server->restart();
    ASSERT_TRUE(loop.until(seconds(10), [&] { return a.is_ok(); }));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
    EXPECT_TRUE(world.has_risen);
}

TEST_F(Leases, AFrozenRedisIsAwayAndItsOldAnswersDoNoHarm) {
    auto quick = settings(seconds(3));
    quick.link.answer_timeout = milliseconds(300);
    Holder a(world, loop, quick), b(world, loop, quick);
    ASSERT_TRUE(both_ok(a, b));
    server->freeze();
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 1; }));
    EXPECT_EQ(a.held.size(), 1U) << a.last_error;
    ASSERT_TRUE(loop.until(seconds(5), [&] { return !b.is_ok(); }));
    server->thaw();
    ASSERT_TRUE(both_ok(a, b));
    // What it had been asked before it froze was granted meanwhile, to nobody.
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return b.held.size() == 1 && a.held.empty(); }));
    EXPECT_EQ(world.most, 1U);
    EXPECT_TRUE(world.has_risen);
}

TEST_F(Leases, ASlowRedisIsWaitedFor) {
    Holder a(world, loop, settings()), b(world, loop, settings());
    ASSERT_TRUE(both_ok(a, b));
    const auto sleep = server->begin({"DEBUG", "SLEEP", "0.4"});
    loop.pass(milliseconds(100));
    a.ask(kPlace);
    b.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] {
        return a.answered + b.answered == 2 && a.held.size() + b.held.size() == 1;
    }));
    EXPECT_TRUE(a.is_ok() && b.is_ok());
    EXPECT_EQ(world.most, 1U);
}

TEST_F(Leases, WhoAsksBeforeRedisIsThereWaitsForIt) {
    Holder a(world, loop, settings());
    a.ask(kPlace);
    EXPECT_EQ(a.health().status, Status::Degraded);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 1; }));
    EXPECT_TRUE(a.is_ok());
    EXPECT_EQ(a.held.size(), 1U);
    EXPECT_EQ(server->ask({"EXISTS", "offhook:place:ward%207:anna"}), "1\n");
}

TEST_F(Leases, AForgottenScriptIsSaidAgain) {
    Holder a(world, loop, settings());
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.is_ok(); }));
    server->ask({"SCRIPT", "FLUSH"});
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.held.size() == 1; }));
}

TEST_F(Leases, AReadOnlyRedisIsAway) {
    server->ask({"REPLICAOF", "127.0.0.1", "1"});
    Holder a(world, loop, settings(seconds(10), RedisLeases::WhenAway::Refuse));
    a.ask(kPlace);
    ASSERT_TRUE(loop.until(seconds(5), [&] { return a.answered == 1; }));
    EXPECT_EQ(a.refused[ErrorCode::Unavailable], 1);
    EXPECT_EQ(a.health().status, Status::Degraded);
}

}  // namespace
}  // namespace offhook::connection
