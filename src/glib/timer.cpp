#include "glib/timer.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/log.h"
#include "glib/shared_source.h"

namespace offhook::glib {
namespace detail {

/// The timers of one context, in the order in which they are due, behind one GSource.
class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
public:
    explicit TimerQueue(GMainContext* context) {
        static GSourceFuncs functions{nullptr, nullptr, &dispatch, nullptr, nullptr, nullptr};
        source_ = g_source_new(&functions, sizeof(Source));
        reinterpret_cast<Source*>(source_)->queue = this;
        g_source_set_priority(source_, G_PRIORITY_DEFAULT);
        g_source_attach(source_, context);
    }
    ~TimerQueue() {
        g_source_destroy(source_);
        g_source_unref(source_);
    }
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    [[nodiscard]] bool is_usable() const { return !g_source_is_destroyed(source_); }
    [[nodiscard]] bool has(std::uint64_t id) const { return timers_.contains(id); }

    std::uint64_t add(std::chrono::milliseconds delay, std::function<void()> action, bool repeat) {
        const gint64 delay_us = std::max<gint64>(delay.count(), 0) * 1000;
        const std::uint64_t id = ++last_id_;
        timers_.emplace(id,
                        Entry{g_get_monotonic_time() + delay_us,
                              repeat ? delay_us : -1,
                              std::make_shared<std::function<void()>>(std::move(action))});
        due_.emplace(timers_.at(id).due_us, id);
        set_wake_up();
        return id;
    }

    void remove(std::uint64_t id) {
        const auto found = timers_.find(id);
        if (found == timers_.end()) return;
        due_.erase({found->second.due_us, id});
        timers_.erase(found);
        if (!is_running_) set_wake_up();
    }

private:
    struct Source {
        GSource base;
        TimerQueue* queue;
    };
    struct Entry {
        gint64 due_us = 0;  ///< g_get_monotonic_time
        gint64 period_us = -1;
        /// Shared, because it may cancel or replace its own timer while it runs.
        std::shared_ptr<std::function<void()>> action;
    };

    static gboolean dispatch(GSource* source, GSourceFunc /*callback*/, gpointer /*data*/) {
        // The last timer may go while it runs, and the queue with it.
        const auto self = reinterpret_cast<Source*>(source)->queue->shared_from_this();
        self->run();
        return G_SOURCE_CONTINUE;
    }

    void run() {
        const gint64 now_us = g_get_monotonic_time();
        const std::uint64_t newest = last_id_;  // what actions add waits for the next turn
        is_running_ = true;
        for (auto next = due_.begin(); next != due_.end() && next->first <= now_us;
             next = due_.begin()) {
            const std::uint64_t id = next->second;
            if (id > newest) break;
            Entry& entry = timers_.at(id);
            const auto action = entry.action;
            due_.erase(next);
            if (entry.period_us < 0) {
                timers_.erase(id);
            } else {
                // At least a microsecond, so that a period of 0 does not keep the loop here.
                entry.due_us = now_us + std::max<gint64>(entry.period_us, 1);
                due_.emplace(entry.due_us, id);
            }
            try {
                (*action)();
            } catch (const std::exception& e) {
                log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
            }
        }
        is_running_ = false;
        set_wake_up();
    }

    void set_wake_up() {
        g_source_set_ready_time(source_, due_.empty() ? -1 : due_.begin()->first);
    }

    GSource* source_ = nullptr;
    std::unordered_map<std::uint64_t, Entry> timers_;
    std::set<std::pair<gint64, std::uint64_t>> due_;
    std::uint64_t last_id_ = 0;
    bool is_running_ = false;
};

}  // namespace detail

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
    queue_ = detail::shared_by_users_of<detail::TimerQueue>(context);
    id_ = queue_->add(delay, std::move(action), repeat);
}

void Timer::cancel() {
    if (queue_) queue_->remove(std::exchange(id_, 0));
}

bool Timer::is_armed() const {
    return queue_ && queue_->is_usable() && queue_->has(id_);
}

}  // namespace offhook::glib
