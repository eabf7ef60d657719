#pragma once

#include <functional>
#include <thread>

#include "glib/main_executor.h"
#include "glib/ref.h"

namespace offhook::events {

/// The thread `oh-events`, where events leave the process: it may wait for a disk, and nobody waits
/// for it. Its context is thread-default there.
class SinkThread {
public:
    SinkThread();
    ~SinkThread();
    SinkThread(const SinkThread&) = delete;
    SinkThread& operator=(const SinkThread&) = delete;

    /// @thread any
    void post(std::function<void()> task) { executor_.post(std::move(task)); }
    /// Runs `task` there and waits for it. @thread any but its own
    void run(const std::function<void()>& task);
    [[nodiscard]] GMainContext* context() const { return context_.get(); }

private:
    glib::Ref<GMainContext> context_;
    glib::Ref<GMainLoop> loop_;
    glib::MainExecutor executor_;
    std::thread thread_;
};

}  // namespace offhook::events
