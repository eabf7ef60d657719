// Pools of workers: names, numbers, and which of two pools comes first for the kernel.
#include "media/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

namespace offhook::media {
namespace {

TEST(WorkerPoolTest, WebWorkersStandOneStepBelowMediaWorkers) {
    const auto phone = std::move(*WorkerPool::create({.workers = 1, .after_tap = {}}));
    const auto web = std::move(*WorkerPool::create({.workers = 2,
                                                    .name = "web",
                                                    .priority = WorkerPool::kWebPriority,
                                                    .first_index = 1,
                                                    .after_tap = {}}));
    EXPECT_EQ(phone->pick()->name(), "media-0");
    EXPECT_EQ(web->pick()->name(), "web-0");
    EXPECT_EQ(web->pick()->name(), "web-1");
    EXPECT_EQ(web->stats()[0].index, 1);
    EXPECT_EQ(web->stats()[1].index, 2);

    const auto priority_of = [](WorkerPool& pool) {
        sched_param parameters{};
        int policy = 0;
        pool.pick()->run_and_wait(
            [&] { pthread_getschedparam(pthread_self(), &policy, &parameters); });
        return policy == SCHED_FIFO ? parameters.sched_priority : 0;
    };
    if (!web->stats()[0].is_realtime) GTEST_SKIP() << "the kernel grants no SCHED_FIFO here";
    EXPECT_EQ(priority_of(*web), priority_of(*phone) - 1);
}

}  // namespace
}  // namespace offhook::media
