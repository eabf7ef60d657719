#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "socket/dialer.h"
#include "socket/event_loop.h"
#include "socket/link.h"
#include "socket/link_commons.h"
#include "socket/transport.h"

namespace offhook::socket {

/// What WebSocket and TCP links have in common: dialling, one read per readiness, a queue that
/// leaves at the end of the turn, the ends, and one timer that looks after all deadlines.
///
///     Dialling --opened--> Open --close()--> Closing --> Ended
///
/// @thread the loop's
class StreamLink : public Link, private EventLoop::Watcher, private TurnEnd {
public:
    ~StreamLink() override;

    void close(std::uint16_t code, std::string_view reason) final;
    [[nodiscard]] bool is_open() const noexcept final { return state_ == State::Open; }
    [[nodiscard]] const Counters& counters() const noexcept final { return counters_; }

    /// Dials; the end of it is told like any other.
    [[nodiscard]] base::Result<void> dial(const DialSettings& settings);
    /// Goes on with a connection that is there: tells `on_open`, then what is in `rest`. The link may
    /// be gone when it returns.
    void open(Dialer::Opened opened);
    /// The same, at the end of this turn, when the link has found its owner.
    void open_at_turn_end(Dialer::Opened opened);

protected:
    enum class State : std::uint8_t { Dialling, Open, Closing, Ended };

    StreamLink(EventLoop& loop, const LinkLimits& limits, LinkEvents& events);

    /// What was read. May end the link, and by that lose it: `Alive` knows.
    virtual void on_bytes(std::span<std::byte> bytes) = 0;
    /// Queues what says goodbye. @return false: the connection may end once the queue is empty
    virtual bool queue_goodbye(std::uint16_t code, std::string_view reason) = 0;
    /// The peer closed its side.
    [[nodiscard]] virtual LinkEnd end_of_stream() const = 0;
    /// Queues a ping. @return false: the protocol has none
    virtual bool queue_ping() { return false; }
    virtual void on_opened(int /*fd*/) noexcept {}

    /// On the stack of whoever calls out: is the link still there?
    class Alive {
    public:
        explicit Alive(StreamLink& link) noexcept : link_(link), outer_(link.gone_) {
            link.gone_ = &is_gone_;
        }
        ~Alive() {
            if (!is_gone_) {
                link_.gone_ = outer_;
            } else if (outer_ != nullptr) {
                *outer_ = true;
            }
        }
        Alive(const Alive&) = delete;
        Alive& operator=(const Alive&) = delete;
        /// And has it not ended?
        explicit operator bool() const noexcept {
            return !is_gone_ && link_.state_ != State::Ended;
        }

    private:
        StreamLink& link_;
        bool* outer_;
        bool is_gone_ = false;
    };

    /// Whether `bytes` more may be queued; counts the refusal when not.
    [[nodiscard]] bool has_room(std::size_t bytes);
    [[nodiscard]] std::vector<std::byte>& queue() noexcept { return queue_; }
    /// What was put into `queue` leaves at the end of the turn.
    void queued();
    void count_sent(std::size_t bytes) noexcept;
    void count_received(std::size_t bytes) noexcept;

    /// Writes what it can and ends. The link may be gone when it returns.
    void end_after_flush(LinkEnd end);
    /// The link may be gone when it returns.
    void end(LinkEnd end);

    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] LinkCommons& commons() noexcept { return commons_; }
    [[nodiscard]] LinkEvents& events() noexcept { return events_; }
    [[nodiscard]] const LinkLimits& limits() const noexcept { return limits_; }
    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] const LinkEnd& own_end() const noexcept { return own_end_; }
    void heard_pong() noexcept;

private:
    void on_ready(std::uint32_t events) override;
    void on_turn_end() override;
    void read();
    void flush();
    void look_after();
    void arm();
    [[nodiscard]] std::int64_t next_due_ns() const noexcept;
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queue_.size() - sent_; }

    EventLoop& loop_;
    LinkCommons& commons_;
    const LinkLimits limits_;
    LinkEvents& events_;
    State state_ = State::Dialling;
    bool* gone_ = nullptr;
    std::unique_ptr<Dialer> dialer_;
    std::optional<Dialer::Opened> opening_;
    std::unique_ptr<Transport> transport_;
    Counters counters_;

    std::vector<std::byte> queue_;
    std::size_t sent_ = 0;     ///< of the queue's front
    bool is_mute_ = false;     ///< writing failed; the next read says why
    bool wants_read_ = false;  ///< TLS holds bytes that epoll does not know of
    bool ends_when_empty_ = false;
    LinkEnd own_end_;  ///< what `close` will be told as

    std::unique_ptr<EventLoop::Timer> timer_;
    std::int64_t armed_ns_ = 0;      ///< when it is due; 0: not armed
    std::int64_t close_due_ns_ = 0;  ///< these four 0: not so
    std::int64_t pinged_ns_ = 0;     ///< a ping is out since
    std::int64_t stuck_ns_ = 0;      ///< nothing of the queue has left since
    std::int64_t full_ns_ = 0;       ///< messages are refused since
    std::int64_t next_ping_ns_ = 0;
};

}  // namespace offhook::socket
