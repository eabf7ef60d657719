#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/stats_snapshot.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// The media workers of the process: one per core unless told otherwise. A call stays with the one
/// it was given. Web legs have a pool of their own, because a push into webrtcbin may wait.
/// @thread control
class WorkerPool {
public:
    /// Of web workers: one below the media workers', so that they never keep a phone leg waiting.
    static constexpr int kWebPriority = worker::kPriority - 1;

    struct Options {
        int workers = 0;  ///< 0: one per core this process may use
        bool realtime = true;
        std::string name = "media";  ///< its workers are "media-0", "media-1" ...
        int priority = worker::kPriority;
        int first_index = 0;  ///< of `stats()`: workers of several pools must not share one
        std::function<void()> after_tap;  ///< see MediaWorker::Options
    };
    [[nodiscard]] static base::Result<std::unique_ptr<WorkerPool>> create(const Options& options);

    /// The worker with the fewest calls, counting those given out but not yet attached.
    [[nodiscard]] std::shared_ptr<worker::MediaWorker> pick();
    /// This one, if it is of the pool: something more runs there, that will be given back. Null: it
    /// is not.
    std::shared_ptr<worker::MediaWorker> join(const worker::MediaWorker& worker);
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
