#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "glib/ref.h"

namespace offhook::media {

/// Takes pipelines down on a thread of its own (`oh-reaper`), because that waits: for the media
/// worker to let go, and for elements that take milliseconds to stop.
class Reaper {
public:
    Reaper();
    /// Finishes what is queued, then joins.
    ~Reaper();
    Reaper(const Reaper&) = delete;
    Reaper& operator=(const Reaper&) = delete;

    /// Brings `pipeline` (may be null) to NULL, drops it, then runs `after` on the reaper.
    /// @thread any
    void take(glib::Ref<GstElement> pipeline, std::function<void()> after);
    /// Runs `work` in its turn, for what takes more than that. @thread any
    void run(std::function<void()> work) { take({}, std::move(work)); }

private:
    struct Job {
        glib::Ref<GstElement> pipeline;
        std::function<void()> after;
    };
    void main();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;   // guarded by mutex_
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;     // last: starts when the rest is there
};

}  // namespace offhook::media
