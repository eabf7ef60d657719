#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"

namespace offhook::socket {

class LinkCommons;

/// One thread's epoll and its timers. Level-triggered. Whoever owns the thread decides how often it
/// looks: a loop with few sockets waits in epoll, one with hundreds polls once a tick, which costs
/// less than a wake for each socket.
///
///     turn:  sockets -> timers that are due -> what was posted -> what was deferred
///
/// What a tick sends leaves in that tick when the tick is a timer, or runs before `turn`.
/// @thread the owner's, all of it
class EventLoop {
public:
    /// Told when its descriptor is ready; may watch and unwatch anything meanwhile, itself included.
    class Watcher {
    public:
        virtual ~Watcher() = default;
        /// @param events  EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
        virtual void on_ready(std::uint32_t events) = 0;
    };

    /// A call in the future; gone with the object, which may go from inside its own task.
    class Timer {
    public:
        virtual ~Timer() = default;
        /// The task runs `delay_ns` from now instead of when it was due, or once more when it has
        /// run. Allocates nothing.
        virtual void restart(std::int64_t delay_ns) = 0;
        /// The task does not run until the next `restart`.
        virtual void stop() noexcept = 0;
    };

    /// @errors Io when the kernel gives no descriptor
    [[nodiscard]] static base::Result<std::unique_ptr<EventLoop>> create();
    virtual ~EventLoop() = default;
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// @param events  EPOLLIN and EPOLLOUT. `watcher` must unwatch before it goes. @errors Io
    [[nodiscard]] virtual base::Result<void> watch(int fd,
                                                   std::uint32_t events,
                                                   Watcher& watcher) = 0;
    virtual void change(int fd, std::uint32_t events) noexcept = 0;
    virtual void unwatch(int fd) noexcept = 0;

    /// `task` runs once, `delay_ns` from now at the earliest, from inside `turn`.
    [[nodiscard]] virtual std::unique_ptr<Timer> after(std::int64_t delay_ns,
                                                       std::function<void()> task) = 0;
    /// `task` runs at the end of the turn that is under way, or of the next: for what one turn's
    /// events share, as one write to a socket for all that was queued on it.
    virtual void defer(std::function<void()> task) = 0;
    /// Runs what was deferred now, outside a turn: what is to leave before anything is read.
    virtual void flush() = 0;
    /// Runs `task` in a later turn and wakes a turn that waits. @thread any
    virtual void post(std::function<void()> task) = 0;

    /// Waits for events and timers, `wait_ns` at most (0: only looks; < 0: as long as it takes), and
    /// tells the watchers. Not from inside itself. @return how many watchers, timers and posted tasks
    /// were told
    virtual int turn(std::int64_t wait_ns) = 0;

    /// What the room's own links share.
    [[nodiscard]] virtual LinkCommons& commons() = 0;

protected:
    EventLoop() = default;
};

}  // namespace offhook::socket
