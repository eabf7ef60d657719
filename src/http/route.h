#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/responder.h"
#include "http/server_stream.h"
#include "http/server_websocket.h"

namespace offhook::http {

/// What a route asks of its requests, and whom it lets in, beside what the server asks of all.
struct RouteRules {
    /// Of a body; in lower case, without parameters.
    std::vector<std::string> content_types{"application/json"};
    /// Pages of others that may use it, "https://app.example.com"; beside those of this server.
    std::vector<std::string> origins{};
    std::chrono::milliseconds answer_limit{
        10'000};  ///< of a LaterHandler; then the client gets 504
    WebSocketLimits websocket{};
    /// Subprotocols of a WebSocket (RFC 6455 §1.9): the first of these that a client offers is agreed
    /// on. One that offers none of them is taken as well.
    std::vector<std::string> protocols{};
    /// What a client has to be allowed to do, a word for the server's gate; empty: anybody may come.
    /// With `?` behind anybody may come as well, and sees by `Request::may` what it is told.
    std::string scope{};
};

/// Who takes the WebSockets of a path.
struct WebSocketHandler {
    /// Before it is opened; an answer refuses it. `Origin` is on the list or absent: a client
    /// without one is no browser and has to show by other means who it is.
    std::function<std::optional<Response>(const Request&)> admit;
    /// It is open. Told from the loop.
    std::function<void(const Request&, std::unique_ptr<ServerWebSocket>)> open;
};

/// What answers at a path. Of several the request takes its choice: a WebSocket by `Upgrade`, a
/// stream by `Accept`; everybody else gets `now` or `later`.
struct Target {
    Handler now{};
    LaterHandler later{};
    std::optional<WebSocketHandler> websocket{};
    std::optional<StreamHandler> stream{};
    RouteRules rules{};
};

}  // namespace offhook::http
