#include "media/worker_pool.h"

#include <sched.h>

#include <algorithm>
#include <string>

namespace offhook::media {
namespace {

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace

base::Result<std::unique_ptr<WorkerPool>> WorkerPool::create(const Options& options) {
    auto pool = std::make_unique<WorkerPool>();
    const int workers = options.workers > 0 ? options.workers : usable_cores();
    for (int i = 0; i < workers; ++i) {
        auto worker = worker::MediaWorker::create({.name = options.name + "-" + std::to_string(i),
                                                   .index = options.first_index + i,
                                                   .realtime = options.realtime,
                                                   .priority = options.priority,
                                                   .after_tap = options.after_tap});
        if (!worker) return tl::unexpected(worker.error());
        (*worker)->run_and_wait([] {});  // from here on it is known whether it is real-time
        pool->members_.push_back({std::move(*worker), 0});
    }
    return pool;
}

std::shared_ptr<worker::MediaWorker> WorkerPool::pick() {
    const auto least =
        std::min_element(members_.begin(), members_.end(), [](const Member& a, const Member& b) {
            return a.calls < b.calls;
        });
    ++least->calls;
    return least->worker;
}

std::shared_ptr<worker::MediaWorker> WorkerPool::join(const worker::MediaWorker& worker) {
    for (Member& member : members_) {
        if (member.worker.get() != &worker) continue;
        ++member.calls;
        return member.worker;
    }
    return nullptr;
}

void WorkerPool::give_back(const worker::MediaWorker& worker) {
    for (Member& member : members_) {
        if (member.worker.get() == &worker) --member.calls;
    }
}

std::vector<model::WorkerStats> WorkerPool::stats() const {
    std::vector<model::WorkerStats> all;
    for (const Member& member : members_) {
        all.push_back(member.worker->stats());
        all.back().calls = static_cast<std::uint64_t>(member.calls);
    }
    return all;
}

bool WorkerPool::is_responsive(std::int64_t now_ns, std::int64_t limit_ns) const {
    return std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
        return member.worker->is_responsive(now_ns, limit_ns);
    });
}

}  // namespace offhook::media
