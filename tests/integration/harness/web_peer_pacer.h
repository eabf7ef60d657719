#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "harness/process.h"

namespace offhook::harness {

/// One thread that calls each of its entries every 20 ms: what sends the packets of any number of
/// web peers, so that a load of them does not cost a thread each.
class WebPacer {
public:
    WebPacer();
    ~WebPacer();
    WebPacer(const WebPacer&) = delete;
    WebPacer& operator=(const WebPacer&) = delete;

    /// @param tick  called on the pacer's thread, first in 20 ms; may not call `add` or `remove`
    [[nodiscard]] std::uint64_t add(std::function<void()> tick);
    /// On return the entry is not called any more.
    void remove(std::uint64_t id);

private:
    struct Entry {
        std::uint64_t id = 0;
        std::function<void()> tick;
    };
    void run();

    std::mutex mutex_;  ///< guards everything below, also while an entry runs
    std::condition_variable changed_;
    std::multimap<Clock::time_point, Entry> due_;
    std::uint64_t next_id_ = 1;
    bool stops_ = false;
    std::thread thread_;
};

/// Puts this thread before ordinary ones, when the kernel allows: who measures time must not be late
/// itself because the machine builds something. Once; further calls cost nothing.
void before_ordinary_threads();

}  // namespace offhook::harness
