#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::http {

/// The bounds of one WebSocket that a client opened.
struct WebSocketLimits {
    std::size_t max_message_bytes = 64 * 1024;       ///< received, all fragments together
    std::size_t max_queue_bytes = 256 * 1024;        ///< not taken by the kernel yet
    std::chrono::seconds ping{20};                   ///< between our pings; 0: none, no deadline
    std::chrono::milliseconds pong_timeout{10'000};  ///< for anything to come after one
    /// Of any kind, five times as many at once; 0: as many as they like.
    int max_frames_per_s = 1'000;
    /// Close codes for one whose queue was full, and for one that answered no ping.
    int slow_code = 4002, silent_code = 4001;
};

/// What went through a WebSocket. Times are CLOCK_MONOTONIC, 0: never.
struct WebSocketTraffic {
    std::uint64_t received_messages = 0, received_bytes = 0;
    std::uint64_t sent_messages = 0, sent_bytes = 0;
    std::uint64_t queue_bytes = 0;
    std::int64_t last_heard_ns = 0, last_pong_ns = 0;
    double rtt_ms = -1;  ///< of the last ping; -1: none came back
};

/// How a WebSocket ended, for who counts them.
enum class WebSocketEnd : std::uint8_t {
    None,      ///< it is open, or we closed it
    Closed,    ///< by the other side, with a close frame
    Broken,    ///< TCP is gone without one, writing failed, or the other side broke the protocol
    Silent,    ///< no ping was answered
    Slow,      ///< it did not take what we sent, and the queue was full
    TooLarge,  ///< it sent a message over the limit, or too many frames
};

/// A WebSocket (RFC 6455) of a client of ours. @see Server::websocket
///
/// No extension is ever agreed on, so that nothing is decompressed.
/// @thread the server's
class ServerWebSocket {
public:
    /// Told from the loop. Its methods may destroy the socket.
    class Listener {
    public:
        /// One whole message, text or binary.
        virtual void on_websocket_message(std::string_view message) = 0;
        /// It is gone; once. @param code  of the peer's close frame (RFC 6455 §7.4); 0: none came
        virtual void on_websocket_closed(base::Error why, int code) = 0;

    protected:
        ~Listener() = default;
    };

    virtual ~ServerWebSocket() = default;
    ServerWebSocket(const ServerWebSocket&) = delete;
    ServerWebSocket& operator=(const ServerWebSocket&) = delete;

    /// Before the loop goes on; whoever listens outlives the socket. What came before is lost.
    virtual void listen(Listener& listener) = 0;
    /// Queues one text message, which has to be UTF-8. False when it is not open, or the queue is
    /// full, which ends it.
    virtual bool send(std::string_view text) = 0;
    /// Says goodbye; nothing is told any more. Destroying an open one does so with 1001.
    virtual void close(int code, std::string_view reason) = 0;
    /// Messages and bytes of both ways; the last state of one that ended.
    [[nodiscard]] virtual WebSocketTraffic traffic() const = 0;
    /// From `on_websocket_closed` on.
    [[nodiscard]] virtual WebSocketEnd ended() const = 0;

protected:
    ServerWebSocket() = default;
};

}  // namespace offhook::http
