#include "socket/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "base/monotonic.h"
#include "socket/link_commons.h"

namespace offhook::socket {
namespace {

/// Of one look. What is ready beyond it comes with the next turn: the kernel puts what it has told
/// behind what it has not.
constexpr int kMaxEvents = 1024;

class EpollLoop;

class HeapTimer final : public EventLoop::Timer {
public:
    HeapTimer(EpollLoop& loop, std::function<void()> task) : loop_(&loop), task_(std::move(task)) {}
    ~HeapTimer() override;
    void restart(std::int64_t delay_ns) override;
    void stop() noexcept override;

private:
    friend class EpollLoop;
    static constexpr std::size_t kNotArmed = SIZE_MAX;

    EpollLoop* loop_;  ///< null once the loop is gone
    std::function<void()> task_;
    std::int64_t due_ns_ = 0;
    std::size_t place_ = kNotArmed;  ///< in the heap
};

class EpollLoop final : public EventLoop {
public:
    EpollLoop(int epoll_fd, int event_fd) : epoll_fd_(epoll_fd), event_fd_(event_fd) {}
    ~EpollLoop() override {
        commons_.reset();  // its threads post
        for (HeapTimer* timer : heap_) {
            timer->loop_ = nullptr;
            timer->place_ = HeapTimer::kNotArmed;
        }
        ::close(event_fd_);
        ::close(epoll_fd_);
    }

    base::Result<void> watch(int fd, std::uint32_t events, Watcher& watcher) override {
        if (fd < 0) return base::fail(base::ErrorCode::InvalidArgument, "no descriptor to watch");
        const auto slot = static_cast<std::size_t>(fd);
        if (slots_.size() <= slot) slots_.resize(slot + 1);
        Slot& mine = slots_[slot];
        epoll_event event{.events = events, .data = {.u64 = tag(fd, ++mine.generation)}};
        if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
            return base::fail_errno("cannot watch a socket", errno);
        }
        mine.watcher = &watcher;
        mine.events = events;
        return {};
    }

    void change(int fd, std::uint32_t events) noexcept override {
        Slot* mine = slot_of(fd);
        if (mine == nullptr || mine->events == events) return;
        epoll_event event{.events = events, .data = {.u64 = tag(fd, mine->generation)}};
        if (::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) mine->events = events;
    }

    void unwatch(int fd) noexcept override {
        Slot* mine = slot_of(fd);
        if (mine == nullptr) return;
        mine->watcher = nullptr;
        ++mine->generation;  // what this turn has collected for it is void
        ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    }

    std::unique_ptr<Timer> after(std::int64_t delay_ns, std::function<void()> task) override {
        auto timer = std::make_unique<HeapTimer>(*this, std::move(task));
        timer->restart(delay_ns);
        return timer;
    }

    void defer(std::function<void()> task) override { deferred_.push_back(std::move(task)); }

    void flush() override { run_deferred(); }

    void post(std::function<void()> task) override {
        bool is_first = false;
        {
            const std::lock_guard lock(mutex_);
            is_first = posted_.empty();
            posted_.push_back(std::move(task));
        }
        if (!is_first) return;
        const std::uint64_t one = 1;
        // Fails only when the counter is full, and then the loop is awake.
        [[maybe_unused]] const auto written = ::write(event_fd_, &one, sizeof one);
    }

    int turn(std::int64_t wait_ns) override {
        const int ready = wait(wait_ns);
        int told = 0;
        bool was_woken = false;
        for (int i = 0; i < ready; ++i) {
            const epoll_event& event = events_[static_cast<std::size_t>(i)];
            const int fd = static_cast<int>(event.data.u64 & 0xFFFFFFFFU);
            if (fd == event_fd_) {
                was_woken = true;
                continue;
            }
            Slot* slot = slot_of(fd);
            if (slot == nullptr || tag(fd, slot->generation) != event.data.u64) continue;
            ++told;
            slot->watcher->on_ready(event.events);
        }
        told += run_timers();
        if (was_woken) told += run_posted();
        run_deferred();
        return told;
    }

    LinkCommons& commons() override {
        if (!commons_) commons_ = std::make_unique<LinkCommons>(*this);
        return *commons_;
    }

    void arm(HeapTimer& timer, std::int64_t delay_ns) {
        timer.due_ns_ = base::monotonic_ns() + std::max<std::int64_t>(delay_ns, 0);
        if (timer.place_ == HeapTimer::kNotArmed) {
            timer.place_ = heap_.size();
            heap_.push_back(&timer);
        }
        settle(timer.place_);
    }

    void disarm(HeapTimer& timer) noexcept {
        const std::size_t place = std::exchange(timer.place_, HeapTimer::kNotArmed);
        if (place == HeapTimer::kNotArmed) return;
        HeapTimer* last = heap_.back();
        heap_.pop_back();
        if (last == &timer) return;
        put(place, last);
        settle(place);
    }

    void forget(HeapTimer& timer) noexcept {
        disarm(timer);
        if (running_ == &timer) running_ = nullptr;
    }

private:
    struct Slot {
        Watcher* watcher = nullptr;
        std::uint32_t events = 0;
        std::uint32_t generation = 0;  ///< of the watch; a descriptor's number comes again
    };

    static std::uint64_t tag(int fd, std::uint32_t generation) noexcept {
        return static_cast<std::uint32_t>(fd) | (static_cast<std::uint64_t>(generation) << 32U);
    }
    Slot* slot_of(int fd) noexcept {
        const auto slot = static_cast<std::size_t>(fd);
        if (fd < 0 || slot >= slots_.size() || slots_[slot].watcher == nullptr) return nullptr;
        return &slots_[slot];
    }

    int wait(std::int64_t wait_ns) noexcept {
        if (!deferred_.empty()) wait_ns = 0;
        if (wait_ns != 0 && !heap_.empty()) {
            const std::int64_t to_timer =
                std::max<std::int64_t>(heap_.front()->due_ns_ - base::monotonic_ns(), 0);
            wait_ns = wait_ns < 0 ? to_timer : std::min(wait_ns, to_timer);
        }
        const timespec limit{.tv_sec = wait_ns / base::kNsPerS, .tv_nsec = wait_ns % base::kNsPerS};
        const int ready = ::epoll_pwait2(
            epoll_fd_, events_.data(), kMaxEvents, wait_ns < 0 ? nullptr : &limit, nullptr);
        return std::max(ready, 0);  // a signal is a turn without events
    }

    int run_timers() {
        if (heap_.empty()) return 0;
        // Fixed, so that a timer that arms itself again at once waits for the next turn.
        const std::int64_t now_ns = base::monotonic_ns();
        int told = 0;
        while (!heap_.empty() && heap_.front()->due_ns_ <= now_ns) {
            HeapTimer* timer = heap_.front();
            disarm(*timer);
            running_ = timer;
            std::function<void()> task = std::move(timer->task_);
            task();
            if (running_ == timer) timer->task_ = std::move(task);
            running_ = nullptr;
            ++told;
        }
        return told;
    }

    int run_posted() {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto read = ::read(event_fd_, &count, sizeof count);
        {
            const std::lock_guard lock(mutex_);
            taken_.swap(posted_);
        }
        for (std::function<void()>& task : taken_) task();
        const int told = static_cast<int>(taken_.size());
        taken_.clear();
        return told;
    }

    void run_deferred() {
        if (deferred_.empty()) return;
        deferring_.swap(deferred_);
        for (std::function<void()>& task : deferring_) task();
        deferring_.clear();
    }

    void put(std::size_t place, HeapTimer* timer) noexcept {
        heap_[place] = timer;
        timer->place_ = place;
    }

    /// Brings what stands at `place` to where its time belongs.
    void settle(std::size_t place) noexcept {
        HeapTimer* timer = heap_[place];
        while (place > 0) {
            const std::size_t parent = (place - 1) / 2;
            if (heap_[parent]->due_ns_ <= timer->due_ns_) break;
            put(place, heap_[parent]);
            place = parent;
        }
        for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
            if (child + 1 < heap_.size() && heap_[child + 1]->due_ns_ < heap_[child]->due_ns_) {
                ++child;
            }
            if (timer->due_ns_ <= heap_[child]->due_ns_) break;
            put(place, heap_[child]);
            place = child;
        }
        put(place, timer);
    }

    const int epoll_fd_;
    const int event_fd_;
    std::array<epoll_event, kMaxEvents> events_{};
    std::vector<Slot> slots_;  ///< by descriptor
    std::vector<HeapTimer*> heap_;
    HeapTimer* running_ = nullptr;  ///< whose task runs; null once it is gone
    std::vector<std::function<void()>> deferred_, deferring_;
    std::vector<std::function<void()>> taken_;
    std::unique_ptr<LinkCommons> commons_;

    std::mutex mutex_;  // guards posted_
    std::vector<std::function<void()>> posted_;
};

HeapTimer::~HeapTimer() {
    if (loop_ != nullptr) loop_->forget(*this);
}

void HeapTimer::restart(std::int64_t delay_ns) {
    if (loop_ != nullptr) loop_->arm(*this, delay_ns);
}

void HeapTimer::stop() noexcept {
    if (loop_ != nullptr) loop_->disarm(*this);
}

}  // namespace

base::Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    const int epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) return base::fail_errno("the kernel gives no epoll descriptor", errno);
    const int event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint32_t>(event_fd)}};
    if (event_fd < 0 || ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event) != 0) {
        const int why = errno;
        if (event_fd >= 0) ::close(event_fd);
        ::close(epoll_fd);
        return base::fail_errno("the kernel gives no eventfd", why);
    }
    return std::make_unique<EpollLoop>(epoll_fd, event_fd);
}

}  // namespace offhook::socket
