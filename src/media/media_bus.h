#pragma once

#include <gst/gst.h>

#include <functional>
#include <string>

#include "base/executor.h"
#include "glib/ref.h"

namespace offhook::media {

/// The one GstBus of all calls' pipelines (a bus each would cost two descriptors and a main-loop
/// source a call). Errors and our elements' events are turned into values and posted to control;
/// everything else is dropped where it is posted.
class MediaBus {
public:
    struct Events {
        /// An element failed. @param pipeline the pipeline's name, which is the call id
        std::function<void(
            const std::string& pipeline, const std::string& element, const std::string& text)>
            on_error;
        std::function<void(const std::string& pipeline, char digit, unsigned duration_ms)> on_digit;
    };
    /// @param control must take posts from real-time threads (glib::FdExecutor)
    MediaBus(base::Executor& control, Events events);
    ~MediaBus();
    MediaBus(const MediaBus&) = delete;
    MediaBus& operator=(const MediaBus&) = delete;

    [[nodiscard]] GstBus* get() const { return bus_.get(); }

private:
    void handle(GstMessage* message);
    glib::Ref<GstBus> bus_;
    base::Executor& control_;
    Events events_;
};

}  // namespace offhook::media
