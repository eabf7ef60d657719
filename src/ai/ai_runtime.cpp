#include "ai/ai_runtime.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr std::int64_t kTickNs = base::kNsPerMs;
/// The media workers' grid lies on whole milliseconds; by then they have tapped what came.
constexpr std::int64_t kPhaseNs = kTickNs * 2 / 5;
constexpr std::int64_t kTicksPerVisit = AiSessions::kTicksPerVisit;
constexpr std::int64_t kWakeApartNs = base::kNsPerMs;
constexpr std::size_t kFew = 32;
constexpr int kNice = -11;
/// What bots get at the end of the process to hear of it.
constexpr std::int64_t kFarewellNs = base::kNsPerS / 2;

std::int64_t tick_of(std::int64_t now_ns) noexcept {
    return (now_ns - kPhaseNs) / kTickNs;
}
std::int64_t time_of(std::int64_t tick) noexcept {
    return tick * kTickNs + kPhaseNs;
}

void sleep_until(std::int64_t ns) noexcept {
    const timespec until{.tv_sec = ns / base::kNsPerS, .tv_nsec = ns % base::kNsPerS};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

}  // namespace

AiRuntime::Bell::~Bell() {
    if (fd_ < 0) return;
    loop_->unwatch(fd_);
    close(fd_);
}

base::Result<void> AiRuntime::Bell::open(socket::EventLoop& loop) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return base::fail_errno("no descriptor for the ai thread", errno);
    if (auto watched = loop.watch(fd, EPOLLIN, *this); !watched) {
        close(fd);
        return watched;
    }
    loop_ = &loop;
    fd_ = fd;
    return {};
}

void AiRuntime::Bell::ring() const noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is being woken anyway.
    [[maybe_unused]] const ssize_t n = write(fd_, &one, sizeof one);
}

void AiRuntime::Bell::on_ready(std::uint32_t /*events*/) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(fd_, &count, sizeof count);
}

base::Result<std::unique_ptr<AiRuntime>> AiRuntime::start(Parts parts) {
    std::unique_ptr<AiRuntime> runtime(new AiRuntime);
    if (auto opened = runtime->open(std::move(parts)); !opened)
        return tl::unexpected(opened.error());
    try {
        runtime->thread_ = std::thread([self = runtime.get()] { self->run(); });
    } catch (const std::system_error& error) {
        return base::fail(base::ErrorCode::Io, "cannot start the ai thread", error.what());
    }
    return runtime;
}

base::Result<void> AiRuntime::open(Parts parts) {
    auto loop = socket::EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    loop_ = std::move(*loop);
    if (auto opened = bell_.open(*loop_); !opened) return opened;
    if (parts.listen.port != 0) {
        auto door = BotDoor::open(*loop_, parts.listen);
        if (!door) return tl::unexpected(door.error());
        door_ = std::move(*door);
        listen_port_ = door_->port();
    }
    sessions_ = std::make_unique<AiSessions>(AiSessions::Parts{.loop = loop_.get(),
                                                               .door = door_.get(),
                                                               .events = parts.events,
                                                               .counters = &counters_,
                                                               .latencies = &latencies_});
    return {};
}

AiRuntime::~AiRuntime() {
    if (!thread_.joinable()) return;
    loop_->post([this] { is_stopping_ = true; });
    thread_.join();
}

void AiRuntime::attach(AiOrder order) {
    if (!order.port) return;
    loop_->post([this, order = std::move(order)] { begin(order); });
}

void AiRuntime::tell(const model::CallId& id, CallNews news) {
    loop_->post([this, id, news = std::move(news)] { sessions_->tell(id, news); });
}

void AiRuntime::wake() noexcept {
    if (!is_listening_.load(std::memory_order_relaxed)) return;
    if (base::monotonic_ns() - heard_ns_.load(std::memory_order_relaxed) < kWakeApartNs) return;
    // What was tapped before is seen by the thread through the ring's own order; a wake that is
    // missed here is made up for by the next tick.
    if (is_listening_.exchange(false, std::memory_order_relaxed)) bell_.ring();
}

void AiRuntime::begin(const AiOrder& order) {
    try {
        sessions_->attach(order, base::monotonic_ns());
    } catch (const std::exception& error) {
        log::write(log::Level::Error,
                   log::Mark::Error,
                   "ai.failed",
                   order.call.id.text,
                   "no AI for this call",
                   {{"cause", error.what()}});
        AiCounters::add(counters_.failed_sessions, 1);
    }
}

void AiRuntime::run() {
    pthread_setname_np(pthread_self(), "oh-ai-0");
    // Ahead of whatever shares the machine, a bot among it, but behind the media workers, and not
    // so that a flood from bots could starve control. Where that is not allowed it is one of many.
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    // The default slack of 50 us would be added to every millisecond.
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    last_tick_ = tick_of(base::monotonic_ns());
    while (!is_stopping_) {
        wait();
        const std::int64_t now_ns = base::monotonic_ns();
        heard_ns_.store(now_ns, std::memory_order_relaxed);
        // What callers said goes first: neither the visits nor what bots say hold it up. What they
        // give leaves with the turn.
        sessions_->listen();
        loop_->flush();
        if (sessions_->size() <= kFew) {
            sessions_->sent(base::monotonic_ns());
        } else {
            sessions_->sent_and_visit(base::monotonic_ns());
        }
        tick(now_ns);
        loop_->turn(0);
    }
    sessions_->clear();
    const std::int64_t until_ns = base::monotonic_ns() + kFarewellNs;
    while (sessions_->leaving() != 0 && base::monotonic_ns() < until_ns) {
        loop_->turn(until_ns - base::monotonic_ns());
    }
    sessions_.reset();
    door_.reset();
}

void AiRuntime::wait() {
    const std::size_t sessions = sessions_->size();
    if (sessions == 0) {
        loop_->turn(-1);
        last_tick_ = tick_of(base::monotonic_ns());  // none were owed while there was nobody
    } else if (sessions <= kFew) {
        wait_for_events(time_of((last_tick_ / kTicksPerVisit + 1) * kTicksPerVisit));
    } else {
        sleep_until(time_of(last_tick_ + 1));
    }
    AiCounters::add(counters_.wakes, 1);
}

void AiRuntime::wait_for_events(std::int64_t until_ns) {
    is_listening_.store(true, std::memory_order_relaxed);
    loop_->turn(std::max<std::int64_t>(until_ns - base::monotonic_ns(), 0));
    is_listening_.store(false, std::memory_order_relaxed);
}

// Each session has one of ten ticks. After a stall each is visited once.
void AiRuntime::tick(std::int64_t now_ns) {
    const std::int64_t now_tick = tick_of(now_ns);
    if (now_tick <= last_tick_) return;
    const std::int64_t lost = (now_tick - last_tick_ - 1) / kTicksPerVisit;
    if (lost > 0) AiCounters::add(counters_.late_ticks, static_cast<std::uint64_t>(lost));
    if (sessions_->size() <= kFew) {
        // Few are visited together, which wakes the thread once in ten milliseconds.
        if (now_tick / kTicksPerVisit != last_tick_ / kTicksPerVisit) sessions_->visit_all(now_ns);
    } else {
        for (std::int64_t tick = std::max(last_tick_ + 1, now_tick - kTicksPerVisit + 1);
             tick <= now_tick;
             ++tick) {
            sessions_->visit(static_cast<std::size_t>(tick % kTicksPerVisit), now_ns);
        }
    }
    last_tick_ = now_tick;
}

}  // namespace offhook::ai
