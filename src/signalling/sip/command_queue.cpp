#include "signalling/sip/command_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/log.h"

namespace offhook::signalling::sip {

CommandQueue::CommandQueue(GMainContext* context) : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd");
    watch_.start(context, wake_.get(), G_IO_IN, [this](GIOCondition) { run(); });
}

void CommandQueue::post(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        if (is_closed_) return;
        tasks_.push_back(std::move(task));
        if (tasks_.size() > 1) return;  // somebody woke the thread already
    }
    const std::uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof(one));
}

void CommandQueue::close() {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    tasks_.clear();
}

void CommandQueue::run() {
    std::uint64_t ignored = 0;
    (void)!read(wake_.get(), &ignored, sizeof(ignored));
    std::vector<std::function<void()>> tasks;
    {
        const std::scoped_lock lock(mutex_);
        tasks.swap(tasks_);
    }
    for (const auto& task : tasks) {
        try {
            task();
        } catch (const std::exception& e) {
            log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
        }
    }
}

}  // namespace offhook::signalling::sip
