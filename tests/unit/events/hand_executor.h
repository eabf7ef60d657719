#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/executor.h"

namespace offhook::events {

/// Control by hand: what was posted runs when the test says so.
class HandExecutor final : public base::Executor {
public:
    void post(std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    void run() {
        for (;;) {
            std::vector<std::function<void()>> tasks;
            {
                const std::lock_guard lock(mutex_);
                tasks.swap(tasks_);
            }
            if (tasks.empty()) return;
            for (const auto& task : tasks) task();
        }
    }

private:
    std::mutex mutex_;
    std::vector<std::function<void()>> tasks_;
};

}  // namespace offhook::events
