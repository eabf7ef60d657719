#pragma once

#include <chrono>
#include <functional>

#include "glib/ref.h"

namespace offhook::glib {

/// A timer on a GMainContext, cancelled by its destructor.
/// @thread the one that runs the context; create, reset and destroy there
class Timer {
public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&& other) noexcept : source_(std::exchange(other.source_, nullptr)) {}
    Timer& operator=(Timer&& other) noexcept {
        if (this != &other) {
            cancel();
            source_ = std::exchange(other.source_, nullptr);
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
    [[nodiscard]] bool is_armed() const {
        return source_ != nullptr && !g_source_is_destroyed(source_);
    }

private:
    void start(GMainContext* context,
               std::chrono::milliseconds delay,
               std::function<void()> action,
               bool repeat);
    GSource* source_ = nullptr;
};

}  // namespace offhook::glib
