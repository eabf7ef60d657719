#pragma once

#include <future>
#include <thread>
#include <utility>

#include "glib/main_executor.h"
#include "glib/ref.h"

namespace offhook::testing {

/// A control thread for tests: a main context of its own, thread-default, running until
/// destruction.
class LoopThread {
public:
    LoopThread()
        : context_(glib::Ref<GMainContext>::adopt(g_main_context_new())),
          loop_(glib::Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE))),
          executor_(context_.get()),
          thread_([this] {
              g_main_context_push_thread_default(context_.get());
              g_main_loop_run(loop_.get());
              g_main_context_pop_thread_default(context_.get());
          }) {}
    ~LoopThread() {
        executor_.post([this] { g_main_loop_quit(loop_.get()); });
        thread_.join();
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    /// Runs `fn` on the thread and waits for it.
    template <class F>
    auto run(F fn) {
        std::packaged_task<std::invoke_result_t<F>()> task(std::move(fn));
        auto future = task.get_future();
        executor_.post([&task] { task(); });
        return future.get();
    }

private:
    glib::Ref<GMainContext> context_;
    glib::Ref<GMainLoop> loop_;
    glib::MainExecutor executor_;
    std::thread thread_;
};

}  // namespace offhook::testing
