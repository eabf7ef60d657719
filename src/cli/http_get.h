#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

struct HttpRequest {
    std::string method = "GET", path{};
    std::string json{};  ///< the body; empty: none
    std::vector<std::pair<std::string, std::string>> headers{};
    std::int64_t patience_s = 3;                   ///< for all of it
    std::size_t max_bytes = std::size_t{8} << 20;  ///< of the answer
};

/// One request on a connection of its own.
/// @errors Unavailable (nobody listens, name unknown), Timeout, Malformed (not an HTTP answer that
/// ends by Content-Length or by closing, or too long)
/// @thread any; blocks
[[nodiscard]] base::Result<HttpReply> http_request(const ApiAddress& address,
                                                   const HttpRequest& request);
/// What is sent for it, headers and body.
[[nodiscard]] std::string request_text(const ApiAddress& address, const HttpRequest& request);

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
