#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "base/log.h"
#include "connection/memory_leases.h"
#include "connection/registry.h"
#include "test_socket.h"

// Who wants one place, all at once: exactly one has it in the end, and never two at any instant.

namespace offhook::connection {
namespace {

constexpr int kAttempts = 50;

class ReplaceRace : public testing::Test {
protected:
    ReplaceRace() { log::set_level(log::Level::Error); }

    Loop loop_;
    MemoryLeases leases_{loop_.get()};
    std::mt19937 random_{4711};

    std::size_t holders(const std::deque<TestSocket>& all) {
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [](const TestSocket& each) { return each.holds(); }));
    }

    /// One race. @param longest  until a socket that was told is gone
    void race(Registry& registry, const Place& place, std::chrono::milliseconds longest) {
        std::deque<TestSocket> all;
        std::uniform_int_distribution<int> chance(0, 9);
        std::uniform_int_distribution<int> delay(0, static_cast<int>(longest.count()));
        for (int i = 0; i < kAttempts; ++i) {
            TestSocket& one = all.emplace_back(registry, loop_);
            one.leaves_ = longest.count() == 0 || chance(random_) == 0 ? TestSocket::Leaves::AtOnce
                                                                       : TestSocket::Leaves::Later;
            one.delay_ = std::chrono::milliseconds(delay(random_));
            ASSERT_TRUE(one.open({.kind = Kind::Channel}));
            one.claim(place);
            // Some come in one turn of the loop, some in the next; some are gone before their turn.
            while (chance(random_) < 5 && g_main_context_iteration(loop_.get(), FALSE)) {
                ASSERT_LE(holders(all), 1U);
            }
            if (i < kAttempts - 1 && chance(random_) == 0) one.gone();
        }
        const auto is_settled = [&] {
            EXPECT_LE(holders(all), 1U);
            return std::all_of(all.begin(), all.end(), [](const TestSocket& each) {
                return !each.is_open_ || each.holds() || (each.answer_ && !*each.answer_);
            });
        };
        ASSERT_TRUE(loop_.until([&] { return is_settled() && all.back().holds(); }));
        EXPECT_EQ(holders(all), 1U);
        for (TestSocket& each : all) {
            if (each.answer_ && !*each.answer_) {
                EXPECT_EQ(each.answer_->error().code, base::ErrorCode::Conflict);
            }
            each.gone();
        }
        loop_.settle();
        EXPECT_TRUE(registry.connections().empty());
    }
};

TEST_F(ReplaceRace, AThousandRacesHaveOneSurvivorEach) {
    Registry registry({.max_of_user = 0xFFFF, .max_claims = 0}, loop_.get(), leases_);
    for (int i = 0; i < 1'000; ++i) {
        race(registry, {"anna", "sales"}, std::chrono::milliseconds(0));
        ASSERT_FALSE(HasFailure()) << "race " << i;
    }
}

TEST_F(ReplaceRace, AlsoWhenThoseWhoAreToldTakeTheirTime) {
    Registry registry(
        {.closing = std::chrono::milliseconds(4), .max_of_user = 0xFFFF, .max_claims = 0},
        loop_.get(),
        leases_);
    for (int i = 0; i < 100; ++i) {
        race(registry, {"anna", "sales"}, std::chrono::milliseconds(6));
        ASSERT_FALSE(HasFailure()) << "race " << i;
    }
}

TEST_F(ReplaceRace, TwoClientsThatFightAreStoppedByTheRate) {
    Registry registry({}, loop_.get(), leases_);
    std::deque<TestSocket> all;
    for (int i = 0; i < 20; ++i) {  // each comes back at once when it is replaced
        TestSocket& one = all.emplace_back(registry, loop_);
        ASSERT_TRUE(one.open({.kind = Kind::Channel}));
        one.claim({"anna", "sales"});
        loop_.settle();
        if (one.answer_ && !*one.answer_) one.gone();
    }
    EXPECT_EQ(holders(all), 1U);
    EXPECT_EQ(registry.counters().replaced, Registry::Settings{}.max_claims - 1);
    for (TestSocket& each : all) each.gone();
}

}  // namespace
}  // namespace offhook::connection
