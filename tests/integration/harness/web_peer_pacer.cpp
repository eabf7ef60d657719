#include "harness/web_peer_pacer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace offhook::harness {
namespace {

constexpr milliseconds kPeriod{20};
/// After a stop of the machine that long what was missed is left out instead of sent at once.
constexpr milliseconds kCatchUp{100};

}  // namespace

void before_ordinary_threads() {
    static thread_local bool is_done = false;
    if (!std::exchange(is_done, true)) {
        // Below the media workers of the daemon that is measured.
        const sched_param priority{.sched_priority = 1};
        pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
    }
}

WebPacer::WebPacer() : thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "web-pacer");
}

WebPacer::~WebPacer() {
    {
        const std::lock_guard lock(mutex_);
        stops_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::uint64_t WebPacer::add(std::function<void()> tick) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = next_id_++;
    // Whole milliseconds, so that a load of peers shares wake-ups.
    due_.emplace(std::chrono::floor<milliseconds>(Clock::now()) + kPeriod,
                 Entry{id, std::move(tick)});
    changed_.notify_all();
    return id;
}

void WebPacer::remove(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(due_, [id](const auto& item) { return item.second.id == id; });
}

void WebPacer::run() {
    before_ordinary_threads();
    std::unique_lock lock(mutex_);
    while (!stops_) {
        if (due_.empty()) {
            changed_.wait(lock);
            continue;
        }
        const Clock::time_point next = due_.begin()->first;
        const Clock::time_point now = Clock::now();
        if (next > now) {
            changed_.wait_until(lock, next);
            continue;
        }
        Entry entry = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        entry.tick();
        due_.emplace(now - next > kCatchUp ? now + kPeriod : next + kPeriod, std::move(entry));
    }
}

}  // namespace offhook::harness
