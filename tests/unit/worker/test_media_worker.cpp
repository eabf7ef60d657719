// The tick engine: slots, lateness, commands, sleep and wake.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "worker/media_worker.h"

namespace offhook::worker {
namespace {

constexpr std::int64_t kMs = 1'000'000;

struct Counting final : TickClient {
    bool on_slot(std::int64_t now_ns) noexcept override {
        times.push_back(now_ns);
        return behind-- > 0;
    }
    std::vector<std::int64_t> times;
    int behind = 0;
};

class SteppedWorker : public ::testing::Test {
protected:
    std::int64_t now = 1'000 * kMs;
    std::shared_ptr<MediaWorker> worker = *MediaWorker::create_stepped(
        ::testing::UnitTest::GetInstance()->current_test_info()->name(), [this] { return now; });
    void advance(std::int64_t ms) {
        now += ms * kMs;
        worker->step();
    }
};

TEST_F(SteppedWorker, ServesAClientOnceEvery20Ms) {
    Counting client;
    const std::int64_t due = worker->attach(client);
    for (int i = 0; i < 200; ++i) advance(1);
    ASSERT_EQ(client.times.size(), 10u);
    EXPECT_EQ(client.times.front(), due);
    for (std::size_t i = 1; i < client.times.size(); ++i)
        EXPECT_EQ(client.times[i] - client.times[i - 1], kFrameNs);
    worker->detach(client);
    advance(40);
    EXPECT_EQ(client.times.size(), 10u);
}

TEST_F(SteppedWorker, PlacesNewcomersWithin5MsAndEvenly) {
    std::array<Counting, 50> clients;
    for (auto& client : clients) EXPECT_LE(worker->attach(client) - now, 5 * kMs);
    std::array<int, 5> in_slot{};
    for (int i = 0; i < 5; ++i) {
        std::size_t before = 0;
        std::size_t after = 0;
        for (auto& c : clients) before += c.times.size();
        advance(1);
        for (auto& c : clients) after += c.times.size();
        in_slot[static_cast<std::size_t>(i)] = static_cast<int>(after - before);
    }
    EXPECT_EQ(in_slot, (std::array<int, 5>{10, 10, 10, 10, 10}));
    for (auto& client : clients) worker->detach(client);
}

TEST_F(SteppedWorker, ACallThatWakesASleepingWorkerIsPlacedAfterNow) {
    now += 3'600'000 * kMs;  // an hour without calls
    Counting client;
    std::int64_t due = 0;
    worker->post([&] { due = worker->attach(client); });
    worker->step();
    EXPECT_GT(due, now);
    EXPECT_LE(due - now, 5 * kMs);
    EXPECT_TRUE(client.times.empty()) << "not in the round that placed it";
    EXPECT_DOUBLE_EQ(worker->stats().tick_max_ms, 0) << "and nobody was late";
    for (int i = 0; i < 25; ++i) advance(1);
    ASSERT_GE(client.times.size(), 1u);
    EXPECT_EQ(client.times.front(), due);
    worker->detach(client);
}

TEST_F(SteppedWorker, AnOldCpuFigureIsForgotten) {
    for (int i = 0; i < 3; ++i) advance(1'000);
    now += 10'000 * kMs;
    EXPECT_DOUBLE_EQ(worker->stats().cpu_share, 0);
}

TEST_F(SteppedWorker, AStallRunsEachSlotOnceAndTheBehindAgainNextTick) {
    Counting client;
    client.behind = 2;
    worker->attach(client);
    advance(510);
    EXPECT_EQ(client.times.size(), 1u);
    advance(1);
    EXPECT_EQ(client.times.size(), 2u);
    advance(1);
    EXPECT_EQ(client.times.size(), 3u);
    advance(1);
    EXPECT_EQ(client.times.size(), 3u);
    EXPECT_GE(worker->stats().tick_max_ms, 9);
    worker->detach(client);
}

TEST_F(SteppedWorker, ReadsSocketsAndForgetsUnwatchedOnes) {
    struct Reader final : IoClient {
        void on_readable(int fd, std::int64_t) noexcept override {
            std::array<char, 16> bytes{};
            reads += static_cast<int>(read(fd, bytes.data(), bytes.size()));
        }
        int reads = 0;
    } reader;
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair.data()), 0);
    ASSERT_TRUE(worker->watch(pair[0], reader));
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    advance(1);
    EXPECT_EQ(reader.reads, 1);
    worker->unwatch(pair[0]);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    advance(1);
    EXPECT_EQ(reader.reads, 1);
    close(pair[0]);
    close(pair[1]);
}

TEST(ThreadedWorker, RunsCommandsInOrderFromManyThreads) {
    auto worker =
        *MediaWorker::create({.name = "commands", .index = 0, .realtime = false, .after_tap = {}});
    std::vector<int> seen;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i) worker->post([&seen, i] { seen.push_back(i); });
    });
    std::atomic<int> mine{0};
    for (int i = 0; i < 1000; ++i) worker->post([&mine] { ++mine; });
    other.join();
    worker->run_and_wait([] {});
    EXPECT_EQ(mine, 1000);
    ASSERT_EQ(seen.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(ThreadedWorker, TicksForOneCallAndForMany) {
    struct Waiting final : TickClient {
        bool on_slot(std::int64_t) noexcept override {
            const std::lock_guard lock(mutex);
            ++count;
            condition.notify_one();
            return false;
        }
        void await(int wanted) {
            std::unique_lock lock(mutex);
            ASSERT_TRUE(condition.wait_for(
                lock, std::chrono::seconds(10), [&] { return count >= wanted; }));
        }
        std::mutex mutex;
        std::condition_variable condition;
        int count = 0;
    };
    auto worker =
        *MediaWorker::create({.name = "ticks", .index = 0, .realtime = false, .after_tap = {}});
    std::array<Waiting, 60> clients;  // beyond the sleeping mode's limit
    worker->run_and_wait([&] { worker->attach(clients[0]); });
    clients[0].await(5);
    worker->run_and_wait([&] {
        for (std::size_t i = 1; i < clients.size(); ++i) worker->attach(clients[i]);
    });
    for (auto& client : clients) client.await(5);
    worker->run_and_wait([&] {
        for (auto& client : clients) worker->detach(client);
    });
    EXPECT_GT(worker->stats().ticks, 0u);
}

TEST(Lateness, QuantilesComeFromTheLastThreeSeconds) {
    LatenessMeter meter;
    const std::int64_t second = 1'000 * kMs;
    for (int i = 0; i < 990; ++i) meter.record(100'000, second);
    for (int i = 0; i < 10; ++i) meter.record(50 * kMs, second);
    const auto now = meter.figures(second);
    EXPECT_NEAR(now.p50_ms, 0.1, 0.025);
    EXPECT_NEAR(now.p99_ms, 0.1, 0.025);
    EXPECT_DOUBLE_EQ(now.max_ms, 50);
    EXPECT_DOUBLE_EQ(meter.figures(second + 4 * second).max_ms, 0);
}

}  // namespace
}  // namespace offhook::worker
