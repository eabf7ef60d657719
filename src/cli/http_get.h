#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::cli {

/// Where the daemon's API is.
struct ApiAddress {
    std::string host;  ///< name or numeric; IPv6 without brackets
    std::uint16_t port = 5000;
    std::string token{};  ///< shown as `Authorization: Bearer`; empty: none

    /// "http://127.0.0.1:5000"
    [[nodiscard]] std::string text() const;
};

/// Reads "http://host[:port][/]"; the scheme may be missing. @errors InvalidArgument
[[nodiscard]] base::Result<ApiAddress> parse_api_address(std::string_view url);

struct HttpReply {
    int status = 0;
    std::string body;
};

/// One GET on a connection of its own; waits for at most 3 s in all and takes at most 8 MiB.
/// @errors Unavailable (nobody listens, name unknown), Timeout, Malformed (not an HTTP answer that
/// ends by Content-Length or by closing)
/// @thread any; blocks
[[nodiscard]] base::Result<HttpReply> http_get(const ApiAddress& address, const std::string& path);

/// As http_get, a POST. @param json  its body; empty: none
[[nodiscard]] base::Result<HttpReply> http_post(const ApiAddress& address,
                                                const std::string& path,
                                                const std::string& json = {});

/// The token in a file, without the white space around it. @errors InvalidArgument
[[nodiscard]] base::Result<std::string> read_token(const std::string& file);

/// The status line, headers and body of a whole answer. @errors Malformed
[[nodiscard]] base::Result<HttpReply> parse_http_reply(std::string_view answer);

}  // namespace offhook::cli
