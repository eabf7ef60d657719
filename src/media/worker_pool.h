#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "model/stats_snapshot.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// The media workers of the process: one per core unless told otherwise. A call stays with the one
/// it was given.
/// @thread control
class WorkerPool {
public:
    struct Options {
        int workers = 0;  ///< 0: one per core this process may use
        bool realtime = true;
        std::function<void()> after_tap;  ///< see MediaWorker::Options
    };
    [[nodiscard]] static base::Result<std::unique_ptr<WorkerPool>> create(const Options& options);

    /// The worker with the fewest calls, counting those given out but not yet attached.
    [[nodiscard]] std::shared_ptr<worker::MediaWorker> pick();
    /// A call of this worker is over.
    void give_back(const worker::MediaWorker& worker);

    [[nodiscard]] std::vector<model::WorkerStats> stats() const;
    /// Whether every worker went round within `limit_ns`.
    [[nodiscard]] bool is_responsive(std::int64_t now_ns, std::int64_t limit_ns) const;

private:
    struct Member {
        std::shared_ptr<worker::MediaWorker> worker;
        int calls = 0;
    };
    std::vector<Member> members_;
};

}  // namespace offhook::media
