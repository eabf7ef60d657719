#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "base/executor.h"

namespace offhook::store::testing {

inline constexpr std::chrono::seconds kLimit{20};

/// Runs what is posted when the test waits for it.
class Mailbox final : public base::Executor {
public:
    void post(std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        wake_.notify_all();
    }
    void run_one() {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(wake_.wait_for(lock, kLimit, [this] { return !tasks_.empty(); }));
        const auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
};

/// What other threads do by themselves.
template <class Is>
bool wait_until(Is is_so) {
    std::mutex mutex;
    std::condition_variable nobody;
    std::unique_lock lock(mutex);
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end) return false;
        nobody.wait_for(lock, std::chrono::milliseconds(1));
    }
    return true;
}

}  // namespace offhook::store::testing
