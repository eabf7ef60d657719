#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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
    std::string protocol;  ///< subprotocol that a WebSocket agreed on; empty: none
    std::string user;      ///< who the gate says it is; empty: nobody asked
    std::string
        forwarded_for{};  ///< the client behind a configured proxy, as the gate says; or empty
    /// What the user may do, in the gate's words; none: nobody asked, and everything is allowed.
    std::optional<std::vector<std::string>> scopes{};
    /// All headers, names in lower case; the first of a repeated one, of those by which proxies name
    /// the client all, with commas between. Some are secrets.
    std::map<std::string, std::string, std::less<>> headers{};

    [[nodiscard]] bool may(std::string_view scope) const {
        return !scopes || std::find(scopes->begin(), scopes->end(), scope) != scopes->end();
    }
    /// Empty when there is no such header. @param name in lower case
    [[nodiscard]] std::string_view header(std::string_view name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    }
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";  ///< empty: there is no body
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Answers at once. Runs on the control thread; an exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

inline constexpr std::size_t kMaxBodyBytes = 64 * 1024;

}  // namespace offhook::http
