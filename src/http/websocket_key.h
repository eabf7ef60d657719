#pragma once

#include <string>

namespace offhook::http {

/// What a server answers to a client's Sec-WebSocket-Key (RFC 6455 §4.2.2).
[[nodiscard]] std::string websocket_accept(const std::string& key);

/// Whether it is 16 bytes in base64 (RFC 6455 §4.1).
[[nodiscard]] bool is_websocket_key(const std::string& key);

}  // namespace offhook::http
