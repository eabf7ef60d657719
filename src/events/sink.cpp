#include "events/sink.h"

#include <utility>

namespace offhook::events {
namespace {

constexpr std::size_t kMaxWaiting = 4'096;

}  // namespace

SinkQueue::SinkQueue(EventLog& log,
                     SinkThread& thread,
                     std::string sink,
                     std::string name,
                     Filter filter,
                     std::function<void(const EventRef&)> take)
    : log_(log),
      thread_(thread),
      sink_(std::move(sink)),
      name_(std::move(name)),
      filter_(std::move(filter)),
      take_(std::move(take)) {
    log_.subscribe(*this);
}

SinkQueue::~SinkQueue() {
    stop();
}

void SinkQueue::stop() {
    log_.unsubscribe(*this);
}

void SinkQueue::on_event(const EventRef& event) {
    if (!filter_.takes(*event)) return;
    if (waiting_.load(std::memory_order_relaxed) >= kMaxWaiting) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    waiting_.fetch_add(1, std::memory_order_relaxed);
    thread_.post([this, event] {
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        take_(event);
        announce();
    });
}

void SinkQueue::announce() {
    const std::uint64_t now = dropped();
    if (now == announced_) return;
    const std::uint64_t lost = now - std::exchange(announced_, now);
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "events.dropped",
               {},
               "more happened at once than could be taken",
               {{"sink", sink_}, {"name", name_}, {"count", lost}});
}

}  // namespace offhook::events
