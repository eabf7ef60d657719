#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/command_queue.h"
#include "base/error.h"
#include "base/monotonic.h"
#include "model/stats_snapshot.h"

#include "worker/lateness.h"

namespace offhook::worker {

inline constexpr int kSlots = 20;                   ///< one frame time in ticks
inline constexpr std::int64_t kTickNs = 1'000'000;  ///< the tick
inline constexpr std::int64_t kFrameNs = kSlots * kTickNs;
/// SCHED_FIFO priority of a media worker, unless told otherwise.
inline constexpr int kPriority = 10;

/// Something that has to be done once every 20 ms. @thread the worker
class TickClient {
public:
    virtual ~TickClient() = default;
    /// Its slot came round; a late worker calls late. Each client keeps its own schedule from the
    /// time `attach` gave it.
    /// @return true when it is still behind and wants the next tick as well
    virtual bool on_slot(std::int64_t now_ns) noexcept = 0;
};

/// Something that reads a descriptor. @thread the worker
class IoClient {
public:
    virtual ~IoClient() = default;
    virtual void on_readable(int fd, std::int64_t now_ns) noexcept = 0;
};

/// One thread that moves the sound of many calls, and never waits for anything but its own clock.
///
///     every 1 ms:  readable sockets (epoll, no wait) -> those still behind
///                  -> the slot of this tick, and those that were missed -> commands
///                  -> the AI thread is woken if something was tapped
///
/// A call lives in one of 20 slots for its life, so each call is served every 20 ms and the work is
/// spread evenly. Under some 20 calls the thread sleeps in epoll until the next occupied slot or
/// packet; with none it sleeps until told. Runs under SCHED_FIFO when allowed;
/// `stats().is_realtime` says whether it is.
///
/// Ownership: held by shared_ptr from whoever made it and from every element attached. The
/// destructor stops and joins, and must not run on the worker itself.
class MediaWorker : public std::enable_shared_from_this<MediaWorker> {
public:
    struct Options {
        std::string name;  ///< the elements' `context`; the thread is called "oh-" + name
        int index = 0;
        bool realtime = true;             ///< ask for SCHED_FIFO
        int priority = kPriority;         ///< of SCHED_FIFO, 1-99
        std::function<void()> after_tap;  ///< run at most once a tick, when some call's sound was
                                          ///< tapped; must not block
    };
    [[nodiscard]] static base::Result<std::shared_ptr<MediaWorker>> create(Options options);

    /// A worker without a thread, for tests: time is what `now_ns` says and nothing happens between
    /// two `step`s.
    [[nodiscard]] static base::Result<std::shared_ptr<MediaWorker>> create_stepped(
        const std::string& name, std::function<std::int64_t()> now_ns);
    /// One round: commands, readable sockets, the slots that came due. Only on a stepped worker.
    void step();

    /// The worker of this name, made with default options when nobody has. @thread any
    [[nodiscard]] static base::Result<std::shared_ptr<MediaWorker>> for_context(
        const std::string& name);

    ~MediaWorker();

    /// Runs `command` on the worker between two ticks. @thread any
    void post(std::function<void()> command);
    /// Runs `command` on the worker and waits for it (a tick at most, as long as the worker is
    /// alive).
    /// @thread any but a worker's
    void run_and_wait(const std::function<void()>& command);

    // On the worker only (from commands and clients):

    /// Gives the client a slot for life: the least loaded of those due in the next 5 ms. @return
    /// when it is first due
    std::int64_t attach(TickClient& client);
    void detach(TickClient& client);
    /// @return false when epoll refused (out of memory, descriptor limit)
    [[nodiscard]] bool watch(int fd, IoClient& client);
    void unwatch(int fd);
    /// Notes that the AI thread has something to read.
    void note_tapped() noexcept { tapped_ = true; }
    void count_overrun(std::uint64_t frames) noexcept {
        overruns_.store(overruns_.load(std::memory_order_relaxed) + frames,
                        std::memory_order_relaxed);
    }

    /// The worker whose thread this is, or nullptr.
    [[nodiscard]] static MediaWorker* current() noexcept;

    // Any thread:
    [[nodiscard]] model::WorkerStats stats() const;
    [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
    /// CLOCK_MONOTONIC of the last completed loop; for the liveness probe. Asleep without work
    /// counts as alive.
    [[nodiscard]] bool is_responsive(std::int64_t now_ns, std::int64_t limit_ns) const noexcept;

private:
    explicit MediaWorker(Options options);
    static base::Result<void> enlist(const std::shared_ptr<MediaWorker>& worker);
    base::Result<void> open();
    void main() noexcept;
    void become_realtime() noexcept;
    [[nodiscard]] std::int64_t now() const noexcept {
        return stepped_now_ ? stepped_now_() : base::monotonic_ns();
    }
    void round(bool may_sleep) noexcept;
    void serve_sockets(bool may_sleep) noexcept;
    void run_slots(std::int64_t now_ns) noexcept;
    void run_slot(std::int64_t tick) noexcept;
    void run_behind(std::int64_t now_ns) noexcept;
    void measure_cpu(std::int64_t now_ns) noexcept;
    [[nodiscard]] std::int64_t next_due_ns() const noexcept;
    int wait_for_events(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept;
    [[nodiscard]] std::int64_t tick_time_ns(std::int64_t tick) const noexcept {
        return tick * kTickNs;
    }

    Options options_;
    std::function<std::int64_t()> stepped_now_;  ///< set: no thread, the test's time
    int epoll_fd_ = -1;
    int event_fd_ = -1;
    std::thread thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> sleeping_{false};
    base::CommandQueue commands_;

    // worker thread
    std::array<std::vector<TickClient*>, kSlots> slots_;
    std::size_t clients_ = 0;
    std::vector<TickClient*> behind_;
    std::vector<IoClient*> watched_;  ///< by descriptor
    std::int64_t last_tick_ = 0;
    bool tapped_ = false;
    bool has_pwait2_ = true;
    std::int64_t cpu_measured_ns_ = 0;
    std::int64_t cpu_used_ns_ = 0;

    // read by anybody
    LatenessMeter lateness_;
    std::atomic<std::uint64_t> ticks_{0};
    std::atomic<std::uint64_t> overruns_{0};
    std::atomic<std::uint64_t> attached_{0};
    std::atomic<double> cpu_share_{0};
    std::atomic<std::int64_t> cpu_share_ns_{
        0};  ///< when it was measured: a sleeping worker measures nothing
    std::atomic<bool> is_realtime_{false};
    std::atomic<bool> is_idle_{false};  ///< in epoll, waiting; written by the worker only
    std::atomic<std::int64_t> last_loop_ns_{0};
};

}  // namespace offhook::worker
