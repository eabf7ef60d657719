#include "trace/desk.h"

#include <pthread.h>

#include <utility>

namespace offhook::trace {

Desk::Desk(base::Executor& control) : control_(control), thread_([this] { work(); }) {
    pthread_setname_np(thread_.native_handle(), "oh-dump");
}

Desk::~Desk() {
    {
        const std::scoped_lock lock(mutex_);
        is_closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool Desk::order(std::function<std::string()> make, std::function<void(std::string)> done) {
    {
        const std::scoped_lock lock(mutex_);
        if (jobs_.size() >= kMaxWaiting) return false;
        jobs_.push_back({std::move(make), std::move(done)});
    }
    wake_.notify_one();
    return true;
}

void Desk::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return is_closing_ || !jobs_.empty(); });
        if (is_closing_) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        control_.post(
            [done = std::move(job.done), made = job.make()]() mutable { done(std::move(made)); });
        lock.lock();
    }
}

}  // namespace offhook::trace
