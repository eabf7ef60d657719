#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "ai/ai_events.h"
#include "ai/ai_order.h"
#include "ai/ai_sessions.h"
#include "ai/bot_door.h"
#include "ai/latency.h"
#include "base/error.h"
#include "config/config.h"
#include "model/call_id.h"
#include "socket/event_loop.h"

namespace offhook::ai {

/// The AI side of all calls, on one thread (`oh-ai-0`) and one epoll. Asleep while nothing is
/// attached.
///
/// With few sessions (up to 32) it waits in epoll: for sockets, for the tick of 10 ms, and for the
/// sound that a worker has just tapped, at most once a millisecond. With many it sleeps to the next
/// millisecond and looks at everything then, so that one wake serves all sockets and taps; 0.4 ms
/// after the media workers, whose tick falls on whole ones, so that what they tapped is
/// on its way at once. Each session is visited every 10 ms; with many, a tenth of them each
/// millisecond.
///
/// Teardown: the destructor ends the thread and with it every session; ports are let go there.
class AiRuntime {
public:
    struct Parts {
        AiEvents* events = nullptr;  ///< outlives this; may be null: nobody wants to know
        config::AiListen listen{};   ///< of `port` 0: no bot may come to us
    };
    /// @errors Io when the kernel gives no descriptor or thread, or not the address to listen on
    [[nodiscard]] static base::Result<std::unique_ptr<AiRuntime>> start(Parts parts);
    ~AiRuntime();
    AiRuntime(const AiRuntime&) = delete;
    AiRuntime& operator=(const AiRuntime&) = delete;

    /// Starts the AI on the call; returns at once. @thread any
    void attach(AiOrder order);
    /// Something happened to the call. EndNews takes the AI off it: the port is let go within a
    /// tick. Returns at once; nothing for an unknown id. @thread any
    void tell(const model::CallId& id, CallNews news);
    /// Sound was tapped. Cheap: one load, unless the thread is waiting for it. @thread media
    /// workers, once a tick
    void wake() noexcept;

    [[nodiscard]] const AiCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] const Latencies& latencies() const noexcept { return latencies_; }
    /// Where bots connect that come to us; 0: nowhere.
    [[nodiscard]] std::uint16_t listen_port() const noexcept { return listen_port_; }

private:
    /// What a media worker rings: an eventfd, because it may not take the lock of
    /// EventLoop::post.
    class Bell final : public socket::EventLoop::Watcher {
    public:
        ~Bell() override;
        base::Result<void> open(socket::EventLoop& loop);
        void ring() const noexcept;
        void on_ready(std::uint32_t events) override;

    private:
        socket::EventLoop* loop_ = nullptr;
        int fd_ = -1;
    };

    AiRuntime() = default;
    base::Result<void> open(Parts parts);
    void run();
    void wait();
    void wait_for_events(std::int64_t until_ns);
    void tick(std::int64_t now_ns);
    void begin(const AiOrder& order);

    AiCounters counters_;
    Latencies latencies_;
    std::unique_ptr<socket::EventLoop> loop_;
    Bell bell_;
    std::unique_ptr<BotDoor> door_;  ///< the thread's own
    std::uint16_t listen_port_ = 0;

    std::atomic<bool> is_listening_{false};  ///< a wake for sound is wanted
    std::atomic<std::int64_t> heard_ns_{0};  ///< when the sessions were last heard

    // the thread's own
    std::unique_ptr<AiSessions> sessions_;
    std::int64_t last_tick_ = 0;  ///< milliseconds on the thread's grid
    bool is_stopping_ = false;

    std::thread thread_;
};

}  // namespace offhook::ai
