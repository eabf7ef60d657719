#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "glib/timer.h"

namespace offhook::glib {
namespace {

using std::chrono::milliseconds;

class TimerTest : public testing::Test {
protected:
    /// Runs the context until `done` holds; false after 2 s.
    bool run_until(const std::function<bool()>& done) {
        const gint64 end_us = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
        while (!done()) {
            if (g_get_monotonic_time() > end_us) return false;
            g_main_context_iteration(context_.get(), TRUE);
        }
        return true;
    }
    GMainContext* context() { return context_.get(); }

    Ref<GMainContext> context_ = Ref<GMainContext>::adopt(g_main_context_new());
    std::string log_;
};

TEST_F(TimerTest, RunInTheOrderInWhichTheyAreDue) {
    Timer late;
    Timer soon;
    Timer now;
    late.once(context(), milliseconds(20), [this] { log_ += 'c'; });
    soon.once(context(), milliseconds(5), [this] { log_ += 'b'; });
    now.once(context(), milliseconds(0), [this] { log_ += 'a'; });
    EXPECT_TRUE(run_until([this] { return log_.size() == 3; }));
    EXPECT_EQ(log_, "abc");
    EXPECT_FALSE(late.is_armed());
}

TEST_F(TimerTest, OnceMayStartItselfAgain) {
    Timer timer;
    std::function<void()> again = [&] {
        EXPECT_FALSE(timer.is_armed());
        log_ += 'x';
        if (log_.size() < 3) timer.once(context(), milliseconds(1), again);
    };
    timer.once(context(), milliseconds(1), again);
    EXPECT_TRUE(run_until([&] { return !timer.is_armed(); }));
    EXPECT_EQ(log_, "xxx");
}

TEST_F(TimerTest, EveryGoesOnUntilItCancelsItself) {
    Timer timer;
    Timer bystander;
    timer.every(context(), milliseconds(1), [&] {
        log_ += 'x';
        if (log_.size() == 4) timer.cancel();
    });
    EXPECT_TRUE(run_until([this] { return log_.size() == 4; }));
    bystander.once(context(), milliseconds(10), [this] { log_ += 'b'; });
    EXPECT_TRUE(run_until([&] { return !bystander.is_armed(); }));
    EXPECT_EQ(log_, "xxxxb");
}

TEST_F(TimerTest, AnActionMayEndAnotherThatIsDueWithIt) {
    std::optional<Timer> other(std::in_place);
    Timer first;
    first.once(context(), milliseconds(0), [&] {
        log_ += 'a';
        other.reset();
    });
    other->once(context(), milliseconds(0), [this] { log_ += 'b'; });
    Timer last;
    last.once(context(), milliseconds(5), [this] { log_ += 'c'; });
    EXPECT_TRUE(run_until([&] { return !last.is_armed(); }));
    EXPECT_EQ(log_, "ac");
}

TEST_F(TimerTest, MovedTimerStaysArmed) {
    Timer first;
    first.once(context(), milliseconds(1), [this] { log_ += 'a'; });
    Timer second(std::move(first));
    EXPECT_TRUE(second.is_armed());
    EXPECT_TRUE(run_until([&] { return !second.is_armed(); }));
    EXPECT_EQ(log_, "a");
}

TEST_F(TimerTest, AnExceptionEndsOnlyItsAction) {
    Timer bad;
    Timer good;
    bad.once(context(), milliseconds(0), [] { throw std::runtime_error("of the test"); });
    good.once(context(), milliseconds(1), [this] { log_ += 'a'; });
    EXPECT_TRUE(run_until([&] { return !good.is_armed(); }));
    EXPECT_EQ(log_, "a");
}

TEST_F(TimerTest, OutlivesItsContextAndServesTheNext) {
    Timer timer;
    for (int i = 0; i < 20; ++i) {  // a new context often has the address of the one before
        timer.once(context(), milliseconds(10'000), [] {});
        context_ = Ref<GMainContext>::adopt(g_main_context_new());
        timer.once(context(), milliseconds(0), [this] { log_ += 'a'; });
        EXPECT_TRUE(run_until([&] { return !timer.is_armed(); }));
    }
    EXPECT_EQ(log_.size(), 20U);
}

TEST_F(TimerTest, AThousandCostTheContextOneSource) {
    std::vector<Timer> many(1000);
    for (Timer& timer : many) timer.once(context(), milliseconds(60'000), [] {});
    // What g_main_context_query fills in is what a turn of the loop has to look at.
    ASSERT_TRUE(g_main_context_acquire(context()));
    gint priority = 0;
    gint timeout_ms = 0;
    g_main_context_prepare(context(), &priority);
    std::vector<GPollFD> fds(2000);
    EXPECT_LE(g_main_context_query(
                  context(), G_MAXINT, &timeout_ms, fds.data(), static_cast<gint>(fds.size())),
              2);
    EXPECT_GT(timeout_ms, 50'000);
    g_main_context_release(context());
}

}  // namespace
}  // namespace offhook::glib
