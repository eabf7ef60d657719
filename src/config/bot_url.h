#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::config {

/// Where a bot is, taken apart.
struct BotUrl {
    std::string scheme;  ///< ws, wss or tcp
    std::string host;    ///< name or numeric address, without brackets
    int port = 0;        ///< as written, else 80, 443; tcp has to say one
    std::string target;  ///< path and query as written; empty: "/"

    /// "bots.example.com:8080", "[::1]:9092": no path and no query, which may have secrets.
    [[nodiscard]] std::string where() const;
    /// A numeric address or "localhost" of this machine.
    [[nodiscard]] bool is_loopback() const;
    /// A numeric address that only a network of one's own has (RFC 1918, RFC 4193, link-local,
    /// RFC 6598).
    [[nodiscard]] bool is_private() const;
};

/// "ws://", "wss://" or "tcp://", host, perhaps a port, path and query (RFC 6455 §3).
/// @errors InvalidArgument with a sentence that says what is allowed
[[nodiscard]] base::Result<BotUrl> parse_bot_url(std::string_view text);

}  // namespace offhook::config
