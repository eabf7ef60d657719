#pragma once

#include <functional>

#include "base/command_queue.h"
#include "base/executor.h"
#include "glib/ref.h"

namespace offhook::glib {

/// Posts tasks onto a GMainContext without taking any lock, so that media workers may post as well:
/// a lock-free queue and an eventfd. Tasks run in order, a batch for each wake-up.
/// @thread post: any; construct and destroy on the thread that runs the context
class FdExecutor final : public base::Executor {
public:
    explicit FdExecutor(GMainContext* context);
    ~FdExecutor() override;
    FdExecutor(const FdExecutor&) = delete;
    FdExecutor& operator=(const FdExecutor&) = delete;

    void post(std::function<void()> task) override;

private:
    void run();
    base::CommandQueue queue_;
    int event_fd_;
    GSource* source_;
};

}  // namespace offhook::glib
