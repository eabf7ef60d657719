#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/problem.h"
#include "http/server_websocket.h"

namespace offhook::http {

/// Whether the request asks for a WebSocket at all (RFC 6455 §4.1).
[[nodiscard]] bool is_websocket_request(SoupServerMessage* message);

using WebSocketOpened =
    std::function<void(GSocket*, const Request&, std::unique_ptr<ServerWebSocket>)>;

/// Answers the opening handshake (RFC 6455 §4.2) with 101, without any extension, or says what is
/// wrong with it: 400, or 426 for another version. `opened` comes when the 101 is written and the
/// connection is no longer libsoup's; never when it breaks before.
/// @param protocols  as RouteRules::protocols
/// @param count  of open WebSockets, which the new one is among as long as it lives
[[nodiscard]] std::optional<Problem> begin_websocket(SoupServerMessage* message,
                                                     const WebSocketLimits& limits,
                                                     const std::vector<std::string>& protocols,
                                                     const Request& request,
                                                     std::shared_ptr<std::size_t> count,
                                                     WebSocketOpened opened);

}  // namespace offhook::http
