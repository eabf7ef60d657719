#pragma once

#include <libsoup/soup.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "http/guarded_stream.h"
#include "http/server_websocket.h"

namespace offhook::http {

/// An open WebSocket, either side of it, from after the handshake to its end. What libsoup 3.2 does
/// not bound is bounded here: a message in fragments, what waits to be sent, and a peer that answers
/// no ping.
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
        std::string early;            ///< read from `stream` already
        SoupWebsocketConnectionType side = SOUP_WEBSOCKET_CONNECTION_SERVER;
        std::string url;
        std::string where;  ///< the peer, for messages
        std::size_t max_message_bytes = 0, max_queue_bytes = 0;
        std::chrono::seconds ping{0};  ///< 0: none, and no deadline
        std::chrono::milliseconds pong_timeout{0};
        std::function<void()> cut;  ///< closes what is below, without waiting
        Events events;
    };
    [[nodiscard]] static std::shared_ptr<WebSocketLink> begin(Parts parts);
    explicit WebSocketLink(Parts parts);
    ~WebSocketLink();
    WebSocketLink(const WebSocketLink&) = delete;
    WebSocketLink& operator=(const WebSocketLink&) = delete;

    /// A text frame, or binary when it is not UTF-8. False when it is not open, or the queue is
    /// full, which ends it.
    bool send(std::string_view message);
    /// False from the peer's Close frame on, though TCP may take a moment longer.
    [[nodiscard]] bool is_open() const;
    /// Nothing is told any more; an open peer is, and has a second to say goodbye as well.
    void abandon(int code, const std::string& reason);
    [[nodiscard]] WebSocketTraffic traffic() const;
    [[nodiscard]] WebSocketEnd ended() const { return ended_; }

private:
    void start();
    void watch_silence();
    void fail(WebSocketEnd how, base::ErrorCode code, const std::string& why);
    void too_long();
    void on_closed();
    void end(base::Error why, int code);
    void let_go();
    static void on_message(SoupWebsocketConnection*, int, GBytes* bytes, gpointer data);
    static void on_error(SoupWebsocketConnection*, GError* error, gpointer data);

    Parts parts_;
    bool is_told_ = true;  ///< whether anybody is to be told
    glib::Ref<GMainContext> context_;
    std::shared_ptr<StreamGuard> guard_;
    glib::Ref<SoupWebsocketConnection> socket_;
    std::uint64_t queued_bytes_ = 0;  ///< on the scale of `StreamGuard::written_bytes`
    std::chrono::milliseconds longest_silence_{0};
    WebSocketEnd ended_ = WebSocketEnd::None;
    WebSocketTraffic traffic_;  ///< what is counted here
    std::string cause_;         ///< what libsoup said broke
    bool is_cut_ = false;       ///< it was TCP_USER_TIMEOUT
    glib::Timer timer_;         ///< the deadline of silence, then of the goodbye
};

}  // namespace offhook::http
