#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ai/ai_order.h"
#include "ai/ai_sessions.h"
#include "base/error.h"
#include "model/call_id.h"

namespace offhook::ai {

/// The AI side of all calls, on one thread (`oh-ai-0`) and one epoll. Asleep while nothing is
/// attached. Otherwise every session is visited each 10 ms; while there are few (up to 32), a
/// worker that has just tapped sound may wake the thread for it, at most once a millisecond. With
/// many, waiting for the tick costs less than it delays.
///
/// Teardown: the destructor ends the thread and with it every session; ports are let go there.
class AiRuntime {
public:
    /// @errors Io when the kernel gives no descriptor or thread
    [[nodiscard]] static base::Result<std::unique_ptr<AiRuntime>> start();
    ~AiRuntime();
    AiRuntime(const AiRuntime&) = delete;
    AiRuntime& operator=(const AiRuntime&) = delete;

    /// Starts the AI on the call; returns at once. @thread any
    void attach(AiOrder order);
    /// Something happened to the call. EndNews takes the AI off it: the port is let go within a tick.
    /// Returns at once; nothing for an unknown id. @thread any
    void tell(const model::CallId& id, CallNews news);
    /// Sound was tapped. Cheap: one load, unless the thread is waiting for it. @thread media
    /// workers, once a tick
    void wake() noexcept;

    [[nodiscard]] const AiCounters& counters() const noexcept { return counters_; }

private:
    /// Attach when there is a port, else news of the call.
    struct Command {
        AiOrder order;
        CallNews news;
    };

    AiRuntime() = default;
    base::Result<void> open();
    void post(Command command);
    void run();
    bool run_commands();
    void arm(bool is_on) noexcept;

    int epoll_fd_ = -1;
    int event_fd_ = -1;
    int timer_fd_ = -1;
    AiCounters counters_;

    std::mutex mutex_;  // guards the two below
    std::vector<Command> commands_;
    bool is_stopping_ = false;

    std::atomic<bool> is_listening_{false};  ///< a wake for sound is wanted
    std::atomic<std::int64_t> heard_ns_{0};  ///< when the sessions were last heard

    // the thread's own
    AiSessions sessions_{counters_};
    bool is_armed_ = false;

    std::thread thread_;
};

}  // namespace offhook::ai
