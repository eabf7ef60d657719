#include "glib/timer.h"

#include "base/log.h"

namespace offhook::glib {
namespace {

struct Job {
    std::function<void()> action;
    bool repeat = false;
};

gboolean run(gpointer data) {
    auto* job = static_cast<Job*>(data);
    const bool repeat = job->repeat;
    // The action may cancel or replace its own timer, which frees the job.
    const std::function<void()> action = job->action;
    try {
        action();
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
    return repeat ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

}  // namespace

void Timer::once(GMainContext* context,
                 std::chrono::milliseconds delay,
                 std::function<void()> action) {
    start(context, delay, std::move(action), false);
}

void Timer::every(GMainContext* context,
                  std::chrono::milliseconds period,
                  std::function<void()> action) {
    start(context, period, std::move(action), true);
}

void Timer::start(GMainContext* context,
                  std::chrono::milliseconds delay,
                  std::function<void()> action,
                  bool repeat) {
    cancel();
    source_ = g_timeout_source_new(static_cast<guint>(delay.count()));
    g_source_set_priority(source_, G_PRIORITY_DEFAULT);
    g_source_set_callback(source_, run, new Job{std::move(action), repeat}, [](gpointer data) {
        delete static_cast<Job*>(data);
    });
    g_source_attach(source_, context);
}

void Timer::cancel() {
    if (GSource* source = std::exchange(source_, nullptr)) {
        g_source_destroy(source);
        g_source_unref(source);
    }
}

}  // namespace offhook::glib
