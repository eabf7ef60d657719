#include "glib/main_executor.h"

#include <utility>

#include "base/log.h"

namespace offhook::glib {

MainExecutor::MainExecutor(GMainContext* context) : context_(Ref<GMainContext>::share(context)) {}

void MainExecutor::post(std::function<void()> task) {
    // An idle source at default priority keeps the order and never runs inside the caller's stack,
    // as g_main_context_invoke may.
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
            try {
                (*static_cast<std::function<void()>*>(data))();
            } catch (const std::exception& e) {
                log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
            }
            return G_SOURCE_REMOVE;
        },
        new std::function<void()>(std::move(task)),
        [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
    g_source_attach(source, context_.get());
    g_source_unref(source);
}

}  // namespace offhook::glib
