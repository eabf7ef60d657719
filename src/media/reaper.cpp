#include "media/reaper.h"

#include <pthread.h>

#include <utility>

namespace offhook::media {

Reaper::Reaper() : thread_([this] { main(); }) {}

Reaper::~Reaper() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Reaper::take(glib::Ref<GstElement> pipeline, std::function<void()> after) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back({std::move(pipeline), std::move(after)});
    }
    wake_.notify_one();
}

void Reaper::main() {
    pthread_setname_np(pthread_self(), "oh-reaper");
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        if (job.pipeline) gst_element_set_state(job.pipeline.get(), GST_STATE_NULL);
        job.pipeline.reset();
        if (job.after) job.after();
    }
}

}  // namespace offhook::media
