#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::config {

/// Where a Redis is, taken apart.
struct RedisUrl {
    bool is_tls = false;
    std::string user{};  ///< of an ACL; empty: the default user
    std::string host{};  ///< name or numeric address, without brackets; empty: a unix socket
    std::uint16_t port = 6379;
    std::string path{};  ///< of the unix socket
    int database = 0;    ///< SELECT

    /// "redis.example.com:6379", "[::1]:6379", "/run/redis/redis.sock": nothing secret.
    [[nodiscard]] std::string where() const;
};

/// redis://[USER@]HOST[:PORT][/DATABASE], rediss:// (TLS) or unix:/PATH[?db=DATABASE].
/// @errors InvalidArgument with a sentence that says what is allowed; also for a password, which
/// belongs in a file
[[nodiscard]] base::Result<RedisUrl> parse_redis_url(std::string_view text);

}  // namespace offhook::config
