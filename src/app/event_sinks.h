#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "events/event_file.h"
#include "events/event_log.h"
#include "events/otlp_sender.h"
#include "events/sink.h"
#include "events/sink_thread.h"
#include "events/webhook.h"
#include "model/event_counts.h"

namespace offhook::app {

/// Where events go beside the API's readers: `[[webhook]]`, `[events] file`, `[otlp]`. Without any
/// there is no thread.
/// @thread control
class EventSinks {
public:
    /// @param log outlives this
    explicit EventSinks(events::EventLog& log) : log_(log) {}
    ~EventSinks() { close(); }
    EventSinks(const EventSinks&) = delete;
    EventSinks& operator=(const EventSinks&) = delete;

    /// @errors InvalidArgument: a secret, a file or the state directory cannot be had
    [[nodiscard]] base::Result<void> start(const config::Config& config);
    void reopen();
    /// What was told goes to the disk, and for at most a second to those that answer.
    void close();
    /// Adds its part.
    void count(model::EventCounts& counts) const;

private:
    struct Hook {
        std::unique_ptr<events::Webhook> webhook;
        events::Webhook::Counters counters;
        std::unique_ptr<events::SinkQueue> queue;
    };
    [[nodiscard]] base::Result<void> add_webhook(const config::Webhook& given,
                                                 const std::string& state);
    [[nodiscard]] base::Result<void> add_file(const std::string& path);
    [[nodiscard]] base::Result<void> add_otlp(const config::Otlp& given);
    events::SinkThread& thread();
    [[nodiscard]] bool are_idle() const;

    events::EventLog& log_;
    std::unique_ptr<events::SinkThread> thread_;
    std::deque<Hook> hooks_;
    std::unique_ptr<events::EventFile> file_;
    std::unique_ptr<events::SinkQueue> file_queue_;
    std::unique_ptr<events::OtlpSender> otlp_;
    events::OtlpSender::Counters otlp_counters_;
    std::unique_ptr<events::SinkQueue> otlp_queue_;
};

}  // namespace offhook::app
