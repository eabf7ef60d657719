#include "glib/fd_executor.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace offhook::glib {

FdExecutor::FdExecutor(GMainContext* context) : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    source_ = g_unix_fd_source_new(event_fd_, G_IO_IN);
    const GUnixFDSourceFunc wake = [](gint, GIOCondition, gpointer self) -> gboolean {
        static_cast<FdExecutor*>(self)->run();
        return G_SOURCE_CONTINUE;
    };
    // GLib's own way to pass a typed callback through GSourceFunc.
    g_source_set_callback(
        source_, reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(wake)), this, nullptr);
    g_source_attach(source_, context);
}

FdExecutor::~FdExecutor() {
    g_source_destroy(source_);
    g_source_unref(source_);
    close(event_fd_);
}

void FdExecutor::post(std::function<void()> task) {
    queue_.push([task = std::move(task)] {
        try {
            task();
        } catch (const std::exception& e) {
            log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
        }
    });
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = write(event_fd_, &one, sizeof one);
}

void FdExecutor::run() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = read(event_fd_, &count, sizeof count);
    queue_.run();
}

}  // namespace offhook::glib
