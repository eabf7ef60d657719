#pragma once

#include <glib.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace offhook::glib {

namespace detail {
class ReadySet;
}

/// Calls back on a context while a descriptor is ready; stops in its destructor. The callback may
/// destroy the watch.
///
/// All watches of a context share one epoll descriptor: what the context polls at each turn does
/// not grow with their number.
/// @thread the one that runs the context
class FdWatch {
public:
    FdWatch() = default;
    ~FdWatch() { stop(); }
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;

    /// @param fd  not watched by another FdWatch of this context; stop before closing it
    void start(GMainContext* context,
               int fd,
               GIOCondition condition,
               std::function<void(GIOCondition)> ready);
    void stop();
    [[nodiscard]] bool is_active() const { return id_ != 0; }

private:
    std::shared_ptr<detail::ReadySet> set_;
    std::uint64_t id_ = 0;
    int fd_ = -1;
};

}  // namespace offhook::glib
