#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "events/event_log.h"
#include "events/filter.h"
#include "events/sink_thread.h"

namespace offhook::events {

/// Brings the events that pass a filter from control to the sinks' thread. At most 4,096 wait; more
/// are dropped, counted, and announced by an event `events.dropped`.
/// @thread control; `take` runs on the sinks' thread
class SinkQueue final : public EventLog::Subscriber {
public:
    /// @param sink  "webhook", "file" ...: a fixed word, for metrics  @param name  which of them
    /// @param log, thread  outlive this; nothing is taken after `thread` is gone
    SinkQueue(EventLog& log,
              SinkThread& thread,
              std::string sink,
              std::string name,
              Filter filter,
              std::function<void(const EventRef&)> take);
    ~SinkQueue();
    SinkQueue(const SinkQueue&) = delete;
    SinkQueue& operator=(const SinkQueue&) = delete;

    void on_event(const EventRef& event) override;

    /// Takes no more. What waits is still taken.
    void stop();
    /// Since the start. @thread any
    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    [[nodiscard]] const std::string& sink() const { return sink_; }

private:
    void announce();

    EventLog& log_;
    SinkThread& thread_;
    const std::string sink_, name_;
    const Filter filter_;
    const std::function<void(const EventRef&)> take_;
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::uint64_t announced_ = 0;  ///< of the sinks' thread
};

}  // namespace offhook::events
