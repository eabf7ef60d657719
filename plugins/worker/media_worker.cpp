#include "worker/media_worker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>
#include <semaphore>

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::worker {
namespace {

constexpr std::size_t kClientsPerCall = 2;  // rtpcallsrc and linekeeper
constexpr std::size_t kSleepBelowClients = 20 * kClientsPerCall;
constexpr int kFirstPacketTicks = 5;  // a new call is placed among the slots due this soon
constexpr int kMaxEvents = 256;

thread_local MediaWorker* t_current = nullptr;

struct Registry {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<MediaWorker>> workers;
};
Registry& registry() {
    static Registry instance;
    return instance;
}

timespec to_timespec(std::int64_t ns) noexcept {
    return {.tv_sec = ns / base::kNsPerS, .tv_nsec = ns % base::kNsPerS};
}

}  // namespace

base::Result<std::shared_ptr<MediaWorker>> MediaWorker::create(Options options) {
    std::shared_ptr<MediaWorker> worker(new MediaWorker(std::move(options)));
    if (auto opened = worker->open(); !opened) return tl::unexpected(opened.error());
    if (auto enlisted = enlist(worker); !enlisted) return tl::unexpected(enlisted.error());
    worker->thread_ = std::thread([raw = worker.get()] { raw->main(); });
    return worker;
}

base::Result<std::shared_ptr<MediaWorker>> MediaWorker::create_stepped(
    const std::string& name, std::function<std::int64_t()> now_ns) {
    std::shared_ptr<MediaWorker> worker(
        new MediaWorker(Options{.name = name, .index = 0, .realtime = false, .after_tap = {}}));
    worker->stepped_now_ = std::move(now_ns);
    worker->last_tick_ = worker->now() / kTickNs;
    if (auto opened = worker->open(); !opened) return tl::unexpected(opened.error());
    if (auto enlisted = enlist(worker); !enlisted) return tl::unexpected(enlisted.error());
    return worker;
}

base::Result<void> MediaWorker::enlist(const std::shared_ptr<MediaWorker>& worker) {
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    auto& entry = r.workers[worker->options_.name];
    if (!entry.expired()) {
        return base::fail(base::ErrorCode::Conflict,
                          "a media worker named \"" + worker->options_.name + "\" exists");
    }
    entry = worker;
    return {};
}

base::Result<std::shared_ptr<MediaWorker>> MediaWorker::for_context(const std::string& name) {
    {
        Registry& r = registry();
        const std::lock_guard lock(r.mutex);
        if (const auto it = r.workers.find(name); it != r.workers.end()) {
            if (auto worker = it->second.lock()) return worker;
        }
    }
    auto made = create(Options{.name = name, .index = 0, .realtime = true, .after_tap = {}});
    // Somebody else may have made it meanwhile.
    return made || made.error().code != base::ErrorCode::Conflict ? made : for_context(name);
}

MediaWorker::MediaWorker(Options options) : options_(std::move(options)) {
    behind_.reserve(64);
}

base::Result<void> MediaWorker::open() {
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_fd_ < 0 || event_fd_ < 0)
        return base::fail_errno("cannot open a media worker's descriptors", errno);
    epoll_event event{.events = EPOLLIN, .data = {.fd = event_fd_}};
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, event_fd_, &event) != 0) {
        return base::fail_errno("cannot set up a media worker's epoll", errno);
    }
    return {};
}

MediaWorker::~MediaWorker() {
    if (thread_.joinable()) {
        stopping_.store(true);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = write(event_fd_, &one, sizeof one);
        thread_.join();
    }
    if (event_fd_ >= 0) close(event_fd_);
    if (epoll_fd_ >= 0) close(epoll_fd_);
}

void MediaWorker::post(std::function<void()> command) {
    commands_.push(std::move(command));
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // While the worker ticks it looks for commands every millisecond by itself.
    if (sleeping_.exchange(false, std::memory_order_seq_cst)) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = write(event_fd_, &one, sizeof one);
    }
}

void MediaWorker::run_and_wait(const std::function<void()>& command) {
    if (stepped_now_) {
        commands_.push(command);
        commands_.run();
        return;
    }
    // Not a condition variable: the worker would have to take a mutex that a thread without
    // real-time priority may hold.
    const auto done = std::make_shared<std::binary_semaphore>(0);
    post([&command, done] {
        command();
        done->release();
    });
    done->acquire();
}

MediaWorker* MediaWorker::current() noexcept {
    return t_current;
}

std::int64_t MediaWorker::attach(TickClient& client) {
    std::int64_t best = last_tick_ + 1;
    for (std::int64_t tick = best + 1; tick <= last_tick_ + kFirstPacketTicks; ++tick) {
        if (slots_[static_cast<std::size_t>(tick % kSlots)].size() <
            slots_[static_cast<std::size_t>(best % kSlots)].size()) {
            best = tick;
        }
    }
    slots_[static_cast<std::size_t>(best % kSlots)].push_back(&client);
    ++clients_;
    attached_.store(clients_, std::memory_order_relaxed);
    return tick_time_ns(best);
}

void MediaWorker::detach(TickClient& client) {
    for (auto& slot : slots_) {
        const auto it = std::find(slot.begin(), slot.end(), &client);
        if (it == slot.end()) continue;
        slot.erase(it);
        --clients_;
        attached_.store(clients_, std::memory_order_relaxed);
        break;
    }
    std::erase(behind_, &client);
}

bool MediaWorker::watch(int fd, IoClient& client) {
    if (fd < 0) return false;
    const auto index = static_cast<std::size_t>(fd);
    if (watched_.size() <= index) watched_.resize(index + 1, nullptr);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
    watched_[index] = &client;
    return true;
}

void MediaWorker::unwatch(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watched_.size() || watched_[index] == nullptr) return;
    watched_[index] = nullptr;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void MediaWorker::become_realtime() noexcept {
    // The default slack of 50 us would be spent on every tick of a SCHED_OTHER thread.
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    pthread_setname_np(pthread_self(), ("oh-" + options_.name).substr(0, 15).c_str());
    if (!options_.realtime) return;
    const sched_param parameters{.sched_priority = options_.priority};
    const int refused = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    is_realtime_.store(refused == 0, std::memory_order_relaxed);
}

void MediaWorker::main() noexcept {
    t_current = this;
    become_realtime();
    last_tick_ = base::monotonic_ns() / kTickNs;
    while (!stopping_.load(std::memory_order_relaxed)) round(true);
    commands_.run();
    t_current = nullptr;
}

void MediaWorker::step() {
    MediaWorker* outer = std::exchange(t_current, this);
    round(false);
    t_current = outer;
}

void MediaWorker::round(bool may_sleep) noexcept {
    serve_sockets(may_sleep);
    const std::int64_t now_ns = now();
    if (!behind_.empty()) run_behind(now_ns);
    run_slots(now_ns);
    // After the slots: a call that joins is placed after this tick, not after the last one of a
    // long sleep.
    commands_.run();
    if (std::exchange(tapped_, false) && options_.after_tap) options_.after_tap();
    measure_cpu(now_ns);
    last_loop_ns_.store(now_ns, std::memory_order_relaxed);
}

std::int64_t MediaWorker::next_due_ns() const noexcept {
    if (!behind_.empty()) return tick_time_ns(last_tick_ + 1);
    for (std::int64_t tick = last_tick_ + 1; tick <= last_tick_ + kSlots; ++tick) {
        if (!slots_[static_cast<std::size_t>(tick % kSlots)].empty()) return tick_time_ns(tick);
    }
    return -1;
}

// Busy: sleep to the next tick and look at the sockets without waiting, so that a thousand packets
// cost one wake-up. Quiet: sleep in epoll, so that a tick without work costs nothing (an empty tick
// is 35 us in a virtual machine).
void MediaWorker::serve_sockets(bool may_sleep) noexcept {
    std::array<epoll_event, kMaxEvents> events;
    int ready = 0;
    if (!may_sleep) {
        ready = epoll_wait(epoll_fd_, events.data(), kMaxEvents, 0);
    } else if (clients_ >= kSleepBelowClients) {
        const timespec until = to_timespec(tick_time_ns(last_tick_ + 1));
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
        }
        ready = epoll_wait(epoll_fd_, events.data(), kMaxEvents, 0);
    } else {
        is_idle_.store(true, std::memory_order_relaxed);
        sleeping_.store(true, std::memory_order_seq_cst);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        const std::int64_t due_ns = commands_.empty() ? next_due_ns() : 0;
        const std::int64_t left_ns =
            due_ns < 0 ? -1 : std::max<std::int64_t>(due_ns - base::monotonic_ns(), 0);
        ready = wait_for_events(events, left_ns);
        sleeping_.store(false, std::memory_order_seq_cst);
        last_loop_ns_.store(now(), std::memory_order_relaxed);
        is_idle_.store(false, std::memory_order_release);
    }
    const std::int64_t now_ns = now();
    for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == event_fd_) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto n = read(event_fd_, &count, sizeof count);
        } else if (IoClient* client = watched_[static_cast<std::size_t>(fd)]) {
            client->on_readable(fd, now_ns);
        }
    }
}

/// @param timeout_ns -1: as long as it takes
int MediaWorker::wait_for_events(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept {
    const auto size = static_cast<int>(events.size());
    if (timeout_ns >= 0 && has_pwait2_) {
        const timespec timeout = to_timespec(timeout_ns);
        const int ready = epoll_pwait2(epoll_fd_, events.data(), size, &timeout, nullptr);
        if (ready >= 0 || errno == EINTR) return ready;
        // A kernel before 5.11, or a container that does not know the call: whole milliseconds will
        // do.
        has_pwait2_ = false;
    }
    const std::int64_t timeout_ms = timeout_ns < 0 ? -1 : (timeout_ns + kTickNs - 1) / kTickNs;
    return epoll_wait(epoll_fd_, events.data(), size, static_cast<int>(timeout_ms));
}

void MediaWorker::run_slots(std::int64_t now_ns) noexcept {
    const std::int64_t now_tick = now_ns / kTickNs;
    // After a stall of more than a frame each slot runs once; the clients know how many frames they
    // owe.
    for (std::int64_t tick = std::max(last_tick_ + 1, now_tick - kSlots + 1); tick <= now_tick;
         ++tick) {
        run_slot(tick);
    }
    if (now_tick > last_tick_) {
        ticks_.store(ticks_.load(std::memory_order_relaxed) +
                         static_cast<std::uint64_t>(now_tick - last_tick_),
                     std::memory_order_relaxed);
        last_tick_ = now_tick;
    }
}

void MediaWorker::run_slot(std::int64_t tick) noexcept {
    const auto& slot = slots_[static_cast<std::size_t>(tick % kSlots)];
    if (slot.empty()) return;
    const std::int64_t due_ns = tick_time_ns(tick);
    const std::int64_t now_ns = now();
    lateness_.record(now_ns - due_ns, now_ns);
    for (TickClient* client : slot) {
        if (!client->on_slot(now_ns)) continue;
        if (std::find(behind_.begin(), behind_.end(), client) == behind_.end())
            behind_.push_back(client);
    }
}

void MediaWorker::run_behind(std::int64_t now_ns) noexcept {
    std::erase_if(behind_, [&](TickClient* client) { return !client->on_slot(now_ns); });
}

void MediaWorker::measure_cpu(std::int64_t now_ns) noexcept {
    if (now_ns - cpu_measured_ns_ < base::kNsPerS) return;
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    const std::int64_t used_ns = used.tv_sec * base::kNsPerS + used.tv_nsec;
    if (cpu_measured_ns_ != 0) {
        cpu_share_.store(static_cast<double>(used_ns - cpu_used_ns_) /
                             static_cast<double>(now_ns - cpu_measured_ns_),
                         std::memory_order_relaxed);
    }
    cpu_share_ns_.store(now_ns, std::memory_order_relaxed);
    cpu_measured_ns_ = now_ns;
    cpu_used_ns_ = used_ns;
}

model::WorkerStats MediaWorker::stats() const {
    const LatenessMeter::Figures figures = lateness_.figures(now());
    model::WorkerStats stats;
    stats.index = options_.index;
    stats.calls = attached_.load(std::memory_order_relaxed) / kClientsPerCall;
    stats.tick_p50_ms = figures.p50_ms;
    stats.tick_p99_ms = figures.p99_ms;
    stats.tick_max_ms = figures.max_ms;
    stats.ticks = ticks_.load(std::memory_order_relaxed);
    stats.overruns = overruns_.load(std::memory_order_relaxed);
    // A worker that fell asleep with its last call keeps no old figure: admission would refuse on
    // it for ever.
    const bool is_fresh = now() - cpu_share_ns_.load(std::memory_order_relaxed) < 2 * base::kNsPerS;
    stats.cpu_share = is_fresh ? cpu_share_.load(std::memory_order_relaxed) : 0.0;
    stats.is_realtime = is_realtime_.load(std::memory_order_relaxed);
    return stats;
}

bool MediaWorker::is_responsive(std::int64_t now_ns, std::int64_t limit_ns) const noexcept {
    return is_idle_.load(std::memory_order_acquire) ||
           now_ns - last_loop_ns_.load(std::memory_order_relaxed) < limit_ns;
}

}  // namespace offhook::worker
