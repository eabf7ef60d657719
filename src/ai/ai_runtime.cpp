#include "ai/ai_runtime.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr std::int64_t kTickNs = 10 * base::kNsPerMs;
constexpr std::int64_t kWakeApartNs = base::kNsPerMs;
constexpr std::size_t kFew = 32;

/// Reads the count of an eventfd or timerfd; 0 when it has none.
std::uint64_t take_count(int fd) noexcept {
    std::uint64_t count = 0;
    return read(fd, &count, sizeof count) == static_cast<ssize_t>(sizeof count) ? count : 0;
}

void ring(int event_fd) noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is being woken anyway.
    [[maybe_unused]] const ssize_t n = write(event_fd, &one, sizeof one);
}

void close_if_open(int fd) noexcept {
    if (fd >= 0) close(fd);
}

}  // namespace

base::Result<std::unique_ptr<AiRuntime>> AiRuntime::start() {
    std::unique_ptr<AiRuntime> runtime(new AiRuntime);
    if (auto opened = runtime->open(); !opened) return tl::unexpected(opened.error());
    try {
        runtime->thread_ = std::thread([self = runtime.get()] { self->run(); });
    } catch (const std::system_error& error) {
        return base::fail(base::ErrorCode::Io, "cannot start the ai thread", error.what());
    }
    return runtime;
}

base::Result<void> AiRuntime::open() {
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (epoll_fd_ < 0 || event_fd_ < 0 || timer_fd_ < 0) {
        return base::fail_errno("no descriptors for the ai thread", errno);
    }
    for (const int fd : {event_fd_, timer_fd_}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
            return base::fail_errno("cannot watch the ai thread's descriptors", errno);
        }
    }
    return {};
}

AiRuntime::~AiRuntime() {
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        ring(event_fd_);
        thread_.join();
    }
    close_if_open(timer_fd_);
    close_if_open(event_fd_);
    close_if_open(epoll_fd_);
}

void AiRuntime::attach(AiOrder order) {
    if (order.port) post({std::move(order), {}});
}

void AiRuntime::tell(const model::CallId& id, CallNews news) {
    Command command{{}, std::move(news)};
    command.order.call.id = id;
    post(std::move(command));
}

void AiRuntime::post(Command command) {
    {
        const std::lock_guard lock(mutex_);
        commands_.push_back(std::move(command));
    }
    ring(event_fd_);
}

void AiRuntime::wake() noexcept {
    if (!is_listening_.load(std::memory_order_relaxed)) return;
    if (base::monotonic_ns() - heard_ns_.load(std::memory_order_relaxed) < kWakeApartNs) return;
    // What was tapped before is seen by the thread through the ring's own order; a wake that is
    // missed here is made up for by the next tick.
    if (is_listening_.exchange(false, std::memory_order_relaxed)) ring(event_fd_);
}

void AiRuntime::run() {
    pthread_setname_np(pthread_self(), "oh-ai-0");
    for (;;) {
        is_listening_.store(sessions_.size() != 0 && sessions_.size() <= kFew,
                            std::memory_order_relaxed);
        std::array<epoll_event, 2> events{};
        const int n = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
        is_listening_.store(false, std::memory_order_relaxed);
        AiCounters::add(counters_.wakes, 1);
        bool is_rung = false;
        std::uint64_t ticks = 0;
        for (int i = 0; i < n; ++i) {
            if (events[static_cast<std::size_t>(i)].data.fd == event_fd_) {
                is_rung = take_count(event_fd_) != 0;
            } else {
                ticks = take_count(timer_fd_);
            }
        }
        if (is_rung && !run_commands()) return;
        const std::int64_t now_ns = base::monotonic_ns();
        heard_ns_.store(now_ns, std::memory_order_relaxed);
        if (ticks != 0) {
            AiCounters::add(counters_.late_ticks, ticks - 1);
            sessions_.visit(now_ns);
        } else if (sessions_.size() <= kFew) {
            sessions_.listen();
        }
        arm(sessions_.size() != 0);
    }
}

/// False: the end.
bool AiRuntime::run_commands() {
    std::vector<Command> commands;
    {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) return false;
        commands.swap(commands_);
    }
    for (Command& command : commands) {
        const model::CallId& id = command.order.call.id;
        if (!command.order.port) {
            sessions_.tell(id, command.news);
            continue;
        }
        try {
            sessions_.attach(command.order, base::monotonic_ns());
        } catch (const std::exception& error) {
            log::write(log::Level::Error,
                       log::Mark::Error,
                       "ai.failed",
                       id.text,
                       "no AI for this call",
                       {{"cause", error.what()}});
            AiCounters::add(counters_.failed_sessions, 1);
        }
    }
    return true;
}

void AiRuntime::arm(bool is_on) noexcept {
    if (is_on == is_armed_) return;
    is_armed_ = is_on;
    itimerspec spec{};
    if (is_on) {
        const std::int64_t first_ns = base::monotonic_ns() + kTickNs;
        spec.it_value.tv_sec = first_ns / base::kNsPerS;
        spec.it_value.tv_nsec = first_ns % base::kNsPerS;
        spec.it_interval.tv_nsec = kTickNs;
    }
    timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace offhook::ai
