#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "glib/ref.h"

namespace offhook::glib {

namespace detail {
class TimerQueue;
}

/// A timer on a GMainContext, cancelled by its destructor.
///
/// All timers of a context share one GSource: what the context does at each turn does not grow with
/// their number (a thousand accounts have some three thousand).
/// @thread the one that runs the context; create, reset and destroy there
class Timer {
public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&& other) noexcept
        : queue_(std::move(other.queue_)), id_(std::exchange(other.id_, 0)) {}
    Timer& operator=(Timer&& other) noexcept {
        if (this != &other) {
            cancel();
            queue_ = std::move(other.queue_);
            id_ = std::exchange(other.id_, 0);
        }
        return *this;
    }

    /// Runs `action` once after `delay`, replacing whatever was scheduled.
    void once(GMainContext* context, std::chrono::milliseconds delay, std::function<void()> action);
    /// Runs `action` every `period` until cancelled.
    void every(GMainContext* context,
               std::chrono::milliseconds period,
               std::function<void()> action);
    void cancel();
    /// False from the moment on in which a `once` runs its action.
    [[nodiscard]] bool is_armed() const;

private:
    void start(GMainContext* context,
               std::chrono::milliseconds delay,
               std::function<void()> action,
               bool repeat);

    std::shared_ptr<detail::TimerQueue> queue_;
    std::uint64_t id_ = 0;  ///< in the queue; 0: never started
};

}  // namespace offhook::glib
