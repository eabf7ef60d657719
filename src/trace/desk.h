#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/executor.h"

namespace offhook::trace {

/// Writes dumps on a thread of its own (`oh-dump`), so that control does not: some milliseconds
/// each, one after another.
class Desk {
public:
    static constexpr std::size_t kMaxWaiting = 8;

    /// @param control  where results are told; outlives this
    explicit Desk(base::Executor& control);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// @param make  runs on the desk's thread  @param done  with what it made, on control
    /// @return false: kMaxWaiting are waiting
    [[nodiscard]] bool order(std::function<std::string()> make,
                             std::function<void(std::string)> done);

private:
    struct Job {
        std::function<std::string()> make;
        std::function<void(std::string)> done;
    };
    void work();

    base::Executor& control_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    bool is_closing_ = false;
    std::thread thread_;
};

}  // namespace offhook::trace
