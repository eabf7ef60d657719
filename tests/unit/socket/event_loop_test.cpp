#include "socket/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/monotonic.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kMs = base::kNsPerMs;

std::unique_ptr<EventLoop> new_loop() {
    auto loop = EventLoop::create();
    EXPECT_TRUE(loop.has_value());
    return std::move(*loop);
}

/// Two ends of a stream.
struct Pair {
    Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0); }
    ~Pair() {
        for (const int fd : fds) ::close(fd);
    }
    void say() const { EXPECT_EQ(::write(fds[1], "x", 1), 1); }
    int fds[2] = {-1, -1};
};

struct Ear final : EventLoop::Watcher {
    explicit Ear(std::function<void(std::uint32_t)> does) : task(std::move(does)) {}
    void on_ready(std::uint32_t events) override {
        ++count;
        task(events);
    }
    std::function<void(std::uint32_t)> task;
    int count = 0;
};

TEST(EventLoop, tells_who_is_ready_as_long_as_it_is) {
    auto loop = new_loop();
    const Pair pair;
    Ear ear([](std::uint32_t events) { EXPECT_EQ(events, EPOLLIN); });
    ASSERT_TRUE(loop->watch(pair.fds[0], EPOLLIN, ear));
    EXPECT_EQ(loop->turn(0), 0);
    pair.say();
    EXPECT_EQ(loop->turn(0), 1);
    EXPECT_EQ(loop->turn(0), 1) << "level-triggered: nobody has read";
    char byte = 0;
    ASSERT_EQ(::read(pair.fds[0], &byte, 1), 1);
    EXPECT_EQ(loop->turn(0), 0);
    EXPECT_EQ(ear.count, 2);
    loop->unwatch(pair.fds[0]);
}

TEST(EventLoop, changes_what_is_watched) {
    auto loop = new_loop();
    const Pair pair;
    std::uint32_t heard = 0;
    Ear ear([&](std::uint32_t events) { heard = events; });
    ASSERT_TRUE(loop->watch(pair.fds[0], EPOLLIN, ear));
    loop->change(pair.fds[0], EPOLLIN | EPOLLOUT);
    EXPECT_EQ(loop->turn(0), 1);
    EXPECT_EQ(heard, EPOLLOUT);
    loop->change(pair.fds[0], EPOLLIN);
    EXPECT_EQ(loop->turn(0), 0);
    loop->unwatch(pair.fds[0]);
    pair.say();
    EXPECT_EQ(loop->turn(0), 0);
}

TEST(EventLoop, forgets_what_a_turn_collected_for_a_watcher_that_went_in_it) {
    auto loop = new_loop();
    const Pair first, second;
    // Whoever is told first sends the other one away.
    std::unique_ptr<Ear> one, two;
    one = std::make_unique<Ear>([&](std::uint32_t) {
        loop->unwatch(second.fds[0]);
        two.reset();
    });
    two = std::make_unique<Ear>([&](std::uint32_t) {
        loop->unwatch(first.fds[0]);
        one.reset();
    });
    ASSERT_TRUE(loop->watch(first.fds[0], EPOLLIN, *one));
    ASSERT_TRUE(loop->watch(second.fds[0], EPOLLIN, *two));
    first.say();
    second.say();
    EXPECT_EQ(loop->turn(0), 1);
    EXPECT_EQ((one == nullptr) + (two == nullptr), 1);
}

TEST(EventLoop, does_not_tell_a_new_watcher_of_an_old_ones_events) {
    auto loop = new_loop();
    const Pair first, second;
    Ear fresh([](std::uint32_t) {});
    bool is_first = true;
    // The one that is told first puts `fresh` in the place of the other descriptor.
    const auto swap = [&](int fd) {
        if (!std::exchange(is_first, false)) return;
        loop->unwatch(fd);
        char byte = 0;
        EXPECT_EQ(::read(fd, &byte, 1), 1);
        EXPECT_TRUE(loop->watch(fd, EPOLLIN, fresh));
    };
    Ear one([&](std::uint32_t) { swap(second.fds[0]); });
    Ear two([&](std::uint32_t) { swap(first.fds[0]); });
    ASSERT_TRUE(loop->watch(first.fds[0], EPOLLIN, one));
    ASSERT_TRUE(loop->watch(second.fds[0], EPOLLIN, two));
    first.say();
    second.say();
    EXPECT_EQ(loop->turn(0), 1);
    EXPECT_EQ(fresh.count, 0);
    loop->unwatch(first.fds[0]);
    loop->unwatch(second.fds[0]);
}

TEST(EventLoop, refuses_a_descriptor_that_cannot_be_watched) {
    auto loop = new_loop();
    Ear ear([](std::uint32_t) {});
    EXPECT_FALSE(loop->watch(-1, EPOLLIN, ear));
    const auto closed = loop->watch(1'000, EPOLLIN, ear);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, base::ErrorCode::Io);
    loop->unwatch(1'000);
}

TEST(EventLoop, runs_timers_in_the_order_of_their_times) {
    auto loop = new_loop();
    // When each is due lies between these: the clock goes on while it is armed.
    struct Due {
        std::int64_t earliest_ns = 0, latest_ns = 0;
        int runs = 0;
    };
    constexpr std::size_t kTimers = 200;
    std::vector<Due> due(kTimers);
    std::vector<std::unique_ptr<EventLoop::Timer>> timers(kTimers);
    std::vector<std::size_t> order;
    std::mt19937 random(7);
    const auto arm = [&](std::size_t i) {
        const auto delay_ns = static_cast<std::int64_t>(random() % 20'000'000U);
        due[i].earliest_ns = base::monotonic_ns() + delay_ns;
        if (timers[i]) {
            timers[i]->restart(delay_ns);
        } else {
            timers[i] = loop->after(delay_ns, [&, i] {
                EXPECT_GE(base::monotonic_ns(), due[i].earliest_ns);
                ++due[i].runs;
                order.push_back(i);
            });
        }
        due[i].latest_ns = base::monotonic_ns() + delay_ns;
    };
    for (std::size_t i = 0; i < kTimers; ++i) arm(i);
    // Every fifth is armed anew, every seventh goes.
    std::size_t left = kTimers;
    for (std::size_t i = 0; i < kTimers; ++i) {
        if (i % 7 == 0) {
            timers[i].reset();
            --left;
        } else if (i % 5 == 0) {
            arm(i);
        }
    }
    ASSERT_TRUE(order.empty());
    while (order.size() < left) loop->turn(-1);
    for (std::size_t i = 0; i < kTimers; ++i) EXPECT_EQ(due[i].runs, i % 7 == 0 ? 0 : 1) << i;
    for (std::size_t i = 1; i < order.size(); ++i) {
        EXPECT_LE(due[order[i - 1]].earliest_ns, due[order[i]].latest_ns);
    }
}

TEST(EventLoop, waits_no_longer_than_asked_or_than_the_next_timer) {
    auto loop = new_loop();
    const std::int64_t begin = base::monotonic_ns();
    EXPECT_EQ(loop->turn(5 * kMs), 0);
    const std::int64_t waited = base::monotonic_ns();
    EXPECT_GE(waited - begin, 5 * kMs);
    bool ran = false;
    auto timer = loop->after(2 * kMs, [&] { ran = true; });
    while (!ran) loop->turn(60'000 * kMs);
    const std::int64_t end = base::monotonic_ns();
    EXPECT_GE(end - waited, 2 * kMs);
    EXPECT_LT(end - waited, 30'000 * kMs);
}

TEST(EventLoop, a_timer_may_restart_itself_and_waits_for_the_next_turn) {
    auto loop = new_loop();
    int runs = 0;
    std::unique_ptr<EventLoop::Timer> timer;
    timer = loop->after(0, [&] {
        ++runs;
        timer->restart(0);
    });
    EXPECT_EQ(loop->turn(-1), 1);
    EXPECT_EQ(loop->turn(-1), 1);
    EXPECT_EQ(runs, 2);
    timer->stop();
    EXPECT_EQ(loop->turn(0), 0);
    timer->restart(0);
    EXPECT_EQ(loop->turn(-1), 1);
}

TEST(EventLoop, a_timer_may_go_in_its_own_task_and_outlive_the_loop) {
    auto loop = new_loop();
    std::unique_ptr<EventLoop::Timer> timer;
    std::string long_enough_for_the_heap(100, 'x');
    std::size_t seen = 0;
    timer = loop->after(0, [&, text = long_enough_for_the_heap] {
        timer.reset();
        seen = text.size();
    });
    EXPECT_EQ(loop->turn(-1), 1);
    EXPECT_EQ(seen, 100U);
    auto later = loop->after(kMs, [] {});
    loop.reset();
    later->restart(0);
    later->stop();
}

TEST(EventLoop, defers_to_the_end_of_the_turn) {
    auto loop = new_loop();
    const Pair first, second;
    std::string story;
    Ear one([&](std::uint32_t) {
        story += 'e';
        if (story.size() == 1) loop->defer([&] { story += 'd'; });
    });
    ASSERT_TRUE(loop->watch(first.fds[0], EPOLLIN, one));
    ASSERT_TRUE(loop->watch(second.fds[0], EPOLLIN, one));
    first.say();
    second.say();
    auto timer = loop->after(0, [&] { story += 't'; });
    loop->turn(-1);
    EXPECT_EQ(story, "eetd");
    loop->unwatch(first.fds[0]);
    loop->unwatch(second.fds[0]);
    // From outside of a turn: the next one, which does not wait; from inside one: the turn after.
    loop->defer([&] { loop->defer([&] { story += '2'; }); });
    loop->turn(-1);
    EXPECT_EQ(story, "eetd");
    loop->turn(-1);
    EXPECT_EQ(story, "eetd2");
}

TEST(EventLoop, runs_what_other_threads_post_in_their_order) {
    auto loop = new_loop();
    constexpr int kThreads = 4, kEach = 500;
    std::vector<int> next(kThreads, 0);
    int ran = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < kEach; ++i) {
                loop->post([&, thread, i] {
                    EXPECT_EQ(next[static_cast<std::size_t>(thread)], i);
                    ++next[static_cast<std::size_t>(thread)];
                    ++ran;
                });
            }
        });
    }
    while (ran < kThreads * kEach) loop->turn(-1);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(loop->turn(0), 0);
}

TEST(EventLoop, a_posted_task_may_post) {
    auto loop = new_loop();
    int runs = 0;
    loop->post([&] {
        ++runs;
        loop->post([&] { ++runs; });
    });
    EXPECT_EQ(loop->turn(-1), 1);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(loop->turn(-1), 1);
    EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace offhook::socket
