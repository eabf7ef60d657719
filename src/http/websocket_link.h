#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "http/server_websocket.h"
#include "http/stream_watch.h"
#include "socket/frame_codec.h"

namespace offhook::http {

/// An open WebSocket (RFC 6455), either side of it, from after the handshake to its end.
///
///     open --our close--> closing --theirs--> lingering --end of file, or 1 s--> gone
///       \--theirs, answered; or it broke a rule and is told so--/
///
/// Everything is bounded: a message with all its fragments, what waits to be sent, frames in a
/// second, and how long a peer may be silent. What is incomplete is all that is kept of a message.
///
/// It lives by shared_ptr, also while it says goodbye. Events may drop it.
/// @thread the one of the context that was thread-default at `begin`
class WebSocketLink : public std::enable_shared_from_this<WebSocketLink> {
public:
    struct Events {
        std::function<void(std::string_view)> on_message;
        /// It is gone; once. @param code  of the peer's close frame; 0: none came
        std::function<void(base::Error why, int code)> on_closed;
    };
    struct Parts {
        glib::Ref<GIOStream> stream;  ///< pollable; behind the handshake
        glib::Ref<GSocket> socket;    ///< below a stream without TLS; null: TLS
        std::string early;            ///< read from `stream` already
        socket::Role side = socket::Role::Server;
        std::string where;  ///< the peer, for messages
        WebSocketLimits limits;
        std::function<void()> cut;  ///< closes what is below, without waiting
        Events events;
    };
    /// Nothing is told before the loop goes on.
    [[nodiscard]] static std::shared_ptr<WebSocketLink> begin(Parts parts);
    explicit WebSocketLink(Parts parts);
    ~WebSocketLink();
    WebSocketLink(const WebSocketLink&) = delete;
    WebSocketLink& operator=(const WebSocketLink&) = delete;

    /// A text frame, or binary when it is not UTF-8. False when it is not open, or the queue is
    /// full, which ends it.
    bool send(std::string_view message);
    /// False from the first Close frame on, though TCP may take a moment longer.
    [[nodiscard]] bool is_open() const { return is_told_ && state_ == State::Open; }
    /// Nothing is told any more; an open peer is, and has a second to say goodbye as well.
    void abandon(int code, const std::string& reason);
    [[nodiscard]] WebSocketTraffic traffic() const;
    [[nodiscard]] WebSocketEnd ended() const { return ended_; }

private:
    enum class State : std::uint8_t { Open, Closing, Lingering, Gone };
    using Event = socket::FrameReader::Event;

    void start();
    void tick();
    void ping();

    void on_ready(bool writable);
    void read();
    void feed(std::span<std::byte> bytes);
    [[nodiscard]] bool is_too_fast();
    void take_message(const Event& event);
    void take_pong(std::span<const std::byte> payload);
    void take_close(const Event& event);
    void take_nonsense(std::uint16_t code, std::string_view why);

    [[nodiscard]] std::size_t waiting() const { return queue_.size() - sent_; }
    void put(socket::Opcode opcode, std::span<const std::byte> payload);
    void put_close(int code, std::string_view reason);
    [[nodiscard]] bool flush();
    void forget_sent_frames();
    void drop_unsent_frames();

    void lost(const GError* error);
    void end(WebSocketEnd how, base::Error why, int code);
    void linger();
    void half_close();
    void let_go();

    Parts parts_;
    glib::Ref<GMainContext> context_;
    State state_ = State::Open;
    bool is_told_ = true;  ///< whether anybody is to be told
    WebSocketEnd ended_ = WebSocketEnd::None;
    WebSocketTraffic traffic_;
    StreamWatch watch_;

    std::vector<std::byte> assembled_;  ///< a message that came in pieces, while it is told
    socket::FrameReader reader_;
    std::uint64_t frames_ = 0;  ///< of the reader's, that were counted against the rate
    double allowance_ = 0;      ///< frames that may still come at once
    std::int64_t allowed_ns_ = 0;

    std::vector<std::byte> queue_;  ///< whole frames, of which `sent_` bytes are written
    std::size_t sent_ = 0;

    std::uint64_t pings_ = 0;  ///< the payload of the last
    std::int64_t pinged_ns_ = 0, next_ping_ns_ = 0;
    glib::Timer timer_;  ///< the next ping or the deadline of silence, then of the goodbye
};

}  // namespace offhook::http
