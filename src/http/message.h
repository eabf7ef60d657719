#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace offhook::http {

/// A request that passed the server's checks. Strings come from the network: bounded, not escaped.
struct Request {
    std::string method;                         ///< GET for HEAD as well
    std::string path;                           ///< without query, percent-decoded, at most 1 KiB
    std::map<std::string, std::string> params;  ///< segments that stood for `{name}` in the pattern
    std::map<std::string, std::string> query;   ///< decoded; the last of a repeated name
    std::string body;                           ///< at most kMaxBodyBytes
    std::string request_id;                     ///< the client's, or ours; printable ASCII
    std::string remote;                         ///< "127.0.0.1:50123"
    std::string idempotency_key;                ///< the header; not checked
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Answers at once. Runs on the control thread; an exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

inline constexpr std::size_t kMaxBodyBytes = 64 * 1024;

}  // namespace offhook::http
