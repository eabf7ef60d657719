#include "events/sink_thread.h"

#include <pthread.h>

#include <future>

namespace offhook::events {

SinkThread::SinkThread()
    : context_(glib::Ref<GMainContext>::adopt(g_main_context_new())),
      loop_(glib::Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE))),
      executor_(context_.get()),
      thread_([this] {
          pthread_setname_np(pthread_self(), "oh-events");
          g_main_context_push_thread_default(context_.get());
          g_main_loop_run(loop_.get());
          g_main_context_pop_thread_default(context_.get());
      }) {}

SinkThread::~SinkThread() {
    executor_.post([this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
}

void SinkThread::run(const std::function<void()>& task) {
    std::promise<void> done;
    executor_.post([&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

}  // namespace offhook::events
