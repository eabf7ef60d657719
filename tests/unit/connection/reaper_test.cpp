#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "connection/memory_leases.h"
#include "connection/registry.h"
#include "test_socket.h"

namespace offhook::connection {
namespace {

using std::chrono::milliseconds;

class ReaperTest : public testing::Test {
protected:
    void make(Registry::Settings settings) {
        registry_ = std::make_unique<Registry>(settings, loop_.get(), leases_);
    }
    TestSocket& live(Kind kind = Kind::Channel, bool hears = true) {
        TestSocket& made = sockets_.emplace_back(*registry_, loop_);
        EXPECT_TRUE(made.open({.kind = kind, .user = "u" + std::to_string(sockets_.size())}));
        registry_->live(made.id_);
        if (hears) heard_.every(loop_.get(), milliseconds(2), [&] { hear(); });
        talkers_ = hears ? &made : talkers_;
        return made;
    }
    void hear() {
        if (talkers_ != nullptr) talkers_->traffic_.last_heard_ns = base::monotonic_ns();
    }
    void pass(milliseconds time) {
        const std::int64_t now_ns = base::monotonic_ns();
        ASSERT_TRUE(loop_.until(
            [&] { return base::monotonic_ns() - now_ns > time.count() * base::kNsPerMs; }));
    }

    Loop loop_;
    MemoryLeases leases_{loop_.get()};
    std::unique_ptr<Registry> registry_;
    std::deque<TestSocket> sockets_;
    TestSocket* talkers_ = nullptr;
    glib::Timer heard_;
};

constexpr milliseconds kNever{3'600'000};

TEST_F(ReaperTest, TheTimerReapsWhoIsSilent) {
    make({.sweep = milliseconds(10), .silence = milliseconds(500)});
    TestSocket& talks = live();
    TestSocket& silent = live(Kind::Monitor, false);
    ASSERT_TRUE(loop_.until([&] { return !silent.is_open_; }));
    EXPECT_EQ(silent.ended_, EndReason::Stale);
    EXPECT_THAT(silent.detail_, testing::HasSubstr("nothing was heard"));
    EXPECT_TRUE(talks.is_open_);
    EXPECT_EQ(registry_->counters().reaped_stale, 1U);
    EXPECT_EQ(registry_->last_cleanup().trigger, "timer");
    EXPECT_GT(registry_->last_cleanup().at_ns, 0);
}

TEST_F(ReaperTest, TheTimerReapsWhoNeverSaysWhatItWants) {
    make({.sweep = milliseconds(10), .connecting = milliseconds(30)});
    TestSocket half(*registry_, loop_);
    ASSERT_TRUE(half.open({}));
    ASSERT_TRUE(loop_.until([&] { return !half.is_open_; }));
    EXPECT_EQ(half.ended_, EndReason::HalfOpen);
    EXPECT_EQ(registry_->counters().reaped_half_open, 1U);
}

TEST_F(ReaperTest, TheTimerReapsWhoTakesNothing) {
    make({.sweep = milliseconds(10), .stuck = milliseconds(300)});
    TestSocket& slow = live(Kind::Channel, false);
    TestSocket& busy = live(Kind::Channel, false);
    slow.traffic_.sent_bytes = busy.traffic_.sent_bytes = 10'000;
    slow.traffic_.queue_bytes = busy.traffic_.queue_bytes = 5'000;
    glib::Timer takes;  // as fast as it is given more
    takes.every(loop_.get(), milliseconds(2), [&] { busy.traffic_.sent_bytes += 100; });
    ASSERT_TRUE(loop_.until([&] { return !slow.is_open_; }));
    EXPECT_EQ(slow.ended_, EndReason::Slow);
    EXPECT_THAT(slow.detail_, testing::HasSubstr("5000 bytes"));
    EXPECT_TRUE(busy.is_open_);
    EXPECT_EQ(registry_->counters().reaped_slow, 1U);
}

TEST_F(ReaperTest, BotsAreLeftToTheirOwnRules) {
    make({.sweep = kNever, .silence = milliseconds(5)});
    TestSocket& bot = live(Kind::Ai, false);
    pass(milliseconds(20));
    EXPECT_THAT(registry_->cleanup({.trigger = "api"}).removed, testing::IsEmpty());
    EXPECT_EQ(registry_->health().detail, "1 live, 0 stale");
    EXPECT_THAT(registry_->cleanup({.older_than = milliseconds(10), .trigger = "api"}).removed,
                testing::IsEmpty());
    const Cleanup done =
        registry_->cleanup({.older_than = milliseconds(10), .kind = Kind::Ai, .trigger = "api"});
    EXPECT_THAT(done.removed, testing::SizeIs(1));
    EXPECT_FALSE(bot.is_open_);
}

TEST_F(ReaperTest, ADryRunOnlySays) {
    make({.sweep = kNever});
    TestSocket& one = live(Kind::Channel, false);
    pass(milliseconds(20));
    const Cleanup said =
        registry_->cleanup({.older_than = milliseconds(10), .is_dry_run = true, .trigger = "api"});
    ASSERT_THAT(said.removed, testing::SizeIs(1));
    EXPECT_EQ(said.removed[0].entry.id, one.id_);
    EXPECT_EQ(said.removed[0].reason, EndReason::Stale);
    EXPECT_EQ(said.kept, 0U);
    EXPECT_TRUE(one.is_open_);
    EXPECT_FALSE(one.ended_);
    EXPECT_THAT(registry_->last_cleanup().removed, testing::IsEmpty());
    EXPECT_EQ(registry_->last_cleanup().trigger, "timer");
}

TEST_F(ReaperTest, AnOrderReachesOnlyItsKindAndReportsWhatWent) {
    make({.sweep = kNever});
    TestSocket& channel = live(Kind::Channel, false);
    TestSocket& monitor = live(Kind::Monitor, false);
    pass(milliseconds(20));
    const Cleanup done = registry_->cleanup(
        {.older_than = milliseconds(10), .kind = Kind::Channel, .trigger = "api"});
    ASSERT_THAT(done.removed, testing::SizeIs(1));
    EXPECT_EQ(done.removed[0].entry.id, channel.id_);
    EXPECT_EQ(done.kept, 1U);
    EXPECT_GE(done.took_ms, 0);
    EXPECT_EQ(done.trigger, "api");
    EXPECT_FALSE(channel.is_open_);
    EXPECT_TRUE(monitor.is_open_);
    EXPECT_EQ(registry_->last_cleanup().removed.size(), 1U);
}

TEST_F(ReaperTest, HealthCountsTheStale) {
    make({.sweep = kNever, .silence = milliseconds(5)});
    live(Kind::Channel, false);
    pass(milliseconds(20));
    EXPECT_EQ(registry_->health().detail, "1 live, 1 stale");
    EXPECT_EQ(registry_->health().status, model::HealthCheck::Status::Ok);
}

}  // namespace
}  // namespace offhook::connection
