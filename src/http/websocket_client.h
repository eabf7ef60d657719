#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "glib/stream_dialer.h"
#include "http/server_websocket.h"

namespace offhook::http {

struct WebSocketOptions {
    glib::DialOptions dial{};  ///< where; with `tls` it is wss; `timeout` is for all of the opening
    std::string host{};        ///< of the Host header: "pbx.example.com:8080", "[2001:db8::1]"
    std::string path = "/";    ///< with a query, if any
    std::vector<std::string> subprotocols{};  ///< the server has to choose one; empty: none
    std::string user_agent = "offhook/" OFFHOOK_VERSION;
    std::size_t max_message_bytes = 64 * 1024;  ///< received, all fragments together
    std::size_t max_queue_bytes = 256 * 1024;   ///< not taken by the kernel yet
    std::chrono::seconds ping{25};              ///< between our pings; 0: none, and no deadline
    std::chrono::milliseconds pong_timeout{10'000};  ///< for anything to come after one
};

/// A WebSocket client (RFC 6455) on the main context that is the thread's default at `open`.
///
/// It connects to an address and checks the name in `dial.tls`; sends no Origin, because it is no
/// browser; and offers no extension, so that nothing is ever decompressed. Bounded are a message
/// with all its fragments, what waits to be sent, and the silence of a peer that answers no ping.
/// @thread the one of the context
class WebSocketClient {
public:
    /// Told from the loop. Its methods may destroy the client.
    class Listener {
    public:
        virtual void on_websocket_open() = 0;
        /// One whole message.
        virtual void on_websocket_message(std::string_view message) = 0;
        /// It could not be opened, or is gone; once. `why` says what to check.
        /// @param code  of the peer's close frame (RFC 6455 §7.4); 0: there was none
        virtual void on_websocket_closed(base::Error why, int code) = 0;

    protected:
        ~Listener() = default;
    };

    explicit WebSocketClient(Listener& listener);
    /// Says goodbye (1000) to an open peer without waiting; nothing is told any more.
    ~WebSocketClient();
    WebSocketClient(const WebSocketClient&) = delete;
    WebSocketClient& operator=(const WebSocketClient&) = delete;

    /// Begins to open; once.
    /// @errors to the listener: those of the dialer; Unavailable: the server answered otherwise than
    ///         with a WebSocket and a subprotocol of ours; InvalidArgument: a path or host that
    ///         cannot stand in a request; Timeout
    void open(const WebSocketOptions& options);
    /// Queues one message: a text frame, or binary when it is not UTF-8. False when it is not open,
    /// or the queue is full, which ends it.
    bool send(std::string_view message);
    [[nodiscard]] bool is_open() const;
    /// All zero before it is open.
    [[nodiscard]] WebSocketTraffic traffic() const;
    /// From `on_websocket_closed` on; `None` when it was never open.
    [[nodiscard]] WebSocketEnd ended() const;
    /// Our address; length 0 before it is open.
    [[nodiscard]] const glib::DialledStream& connection() const;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace offhook::http
