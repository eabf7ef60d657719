#pragma once

#include <chrono>
#include <functional>

#include "base/monotonic.h"
#include "glib/ref.h"
#include "glib/timer.h"

namespace offhook::connection {

/// A loop of the test's own.
class Loop {
public:
    [[nodiscard]] GMainContext* get() const { return context_.get(); }

    /// Runs until it is so. False when it is not within ten seconds.
    bool until(const std::function<bool()>& is_so) {
        const std::int64_t deadline_ns = base::monotonic_ns() + 10 * base::kNsPerS;
        glib::Timer wake;
        wake.every(get(), std::chrono::milliseconds(5), [] {});
        while (!is_so()) {
            if (base::monotonic_ns() > deadline_ns) return false;
            g_main_context_iteration(get(), TRUE);
        }
        return true;
    }
    /// Runs what is due now, and what that leads to.
    void settle() {
        while (g_main_context_iteration(get(), FALSE)) {
        }
    }

private:
    glib::Ref<GMainContext> context_ = glib::Ref<GMainContext>::adopt(g_main_context_new());
};

}  // namespace offhook::connection
