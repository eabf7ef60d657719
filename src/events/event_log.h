#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/executor.h"
#include "events/event.h"
#include "events/filter.h"

namespace offhook::events {

/// What happened, numbered: the last `keep` events and whoever wants the next ones.
///
///     any thread: log::write --listener--> inbox (bounded, lock-free) --post--> control
///     control:    number, render, keep --> subscribers
///
/// A writer never waits: when 8,192 events wait already, the next is dropped, counted, and
/// announced by an event `events.dropped`.
/// @thread control, unless said otherwise
class EventLog {
public:
    struct Options {
        std::size_t keep = 10'000;
        std::size_t max_waiting = 8'192;  ///< between the writers and control
    };
    /// @param control outlives this
    EventLog(Options options, base::Executor& control);
    ~EventLog();
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// 16 hexadecimal digits, other ones at each start: numbers of another instance are not ours.
    [[nodiscard]] const std::string& instance() const { return instance_; }
    /// Number of the oldest event that is kept, or that will come when none is.
    [[nodiscard]] std::uint64_t oldest() const { return newest_ + 1 - kept_.size(); }
    /// Number of the last event; 0: none yet.
    [[nodiscard]] std::uint64_t newest() const { return newest_; }
    /// Null when it is not kept (any more).
    [[nodiscard]] EventRef at(std::uint64_t seq) const;

    /// Told each event once it is kept. It may subscribe and unsubscribe others and itself.
    class Subscriber {
    public:
        virtual void on_event(const EventRef& event) = 0;

    protected:
        ~Subscriber() = default;
    };
    void subscribe(Subscriber& subscriber);
    /// Nothing to do for one that is not subscribed.
    void unsubscribe(Subscriber& subscriber);

    /// Events that did not get in, since the start. @thread any
    [[nodiscard]] std::uint64_t dropped() const;
    /// Takes in what waits now, for who cannot wait for control's next turn: the end of the process.
    void flush();

private:
    struct Inbox;
    void publish(std::unique_ptr<Event> event);
    void learn_whose(Event& event);

    const Options options_;
    const std::string instance_;
    std::shared_ptr<Inbox> inbox_;
    log::Listening listening_;
    std::deque<EventRef> kept_;
    std::uint64_t newest_ = 0;
    std::vector<Subscriber*> subscribers_;  ///< null: unsubscribed while they are told
    bool is_telling_ = false;
    std::uint64_t dropped_told_ = 0;
    struct Whose {
        std::string account, channel;
    };
    std::unordered_map<std::string, Whose> calls_;  ///< live ones of which we know
};

}  // namespace offhook::events
