#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/message.h"
#include "http/route.h"

namespace offhook::http {

struct ServerOptions {
    std::string host = "127.0.0.1";  ///< numeric address
    std::uint16_t port = 0;          ///< 0: chosen by the kernel
    bool allow_remote = false;       ///< without it only loopback addresses are accepted as `host`
    /// Host names accepted beside loopback, `host` and the address of the connection.
    std::vector<std::string> hosts{};
    std::vector<std::string> origins{};  ///< pages of others that may use every route
    std::chrono::milliseconds request_timeout{
        10'000};  ///< for a whole request to come, and for its answer to be taken
    std::chrono::milliseconds idle_timeout{
        30'000};  ///< for the next request of a connection to come
    /// With a request, or between two; and as many more that have not brought one yet. More end the
    /// oldest of those that bring nothing.
    std::size_t max_connections = 1'024;
    std::size_t max_websockets = 4'096;  ///< open; more get 503
    std::size_t max_streams = 256;       ///< answers that go on; more get 503
    /// Connections of one address that have not brought a request yet. Loopback and proxies have
    /// no such limit.
    std::size_t max_half_open_of_address = 64;
    std::function<bool(std::string_view address)> is_proxy{};
};

/// A small HTTP/1.1 server: routes, and the checks that every request passes before a handler sees
/// it.
///
///     accept -> lobby, until a whole request is there -> connection [ count, deadlines ] -> libsoup
///            -> headers <= 16 KiB, body <= 64 KiB with a length
///            -> Host on the list -> route and method -> Origin ours, or the route's -> content
///            type -> handler: at once, later (the client may leave, or wait too long), for ever, WebSocket
///
/// No WebSocket extension is registered, so that nothing is decompressed. Every answer has Request-Id, Cache-Control: no-store and
/// X-Content-Type-Options: nosniff; every error of ours is RFC 9457 problem+json.
/// @thread control: create, use and destroy there; its context must be thread-default (or the
/// default one)
class Server {
public:
    /// Binds and starts to answer; a path without a route is a 404.
    /// @errors InvalidArgument: not a numeric or not a loopback address; Io: the port is taken
    [[nodiscard]] static base::Result<std::unique_ptr<Server>> listen(const ServerOptions& options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// @param method GET (which serves HEAD as well), POST, ...  @param pattern
    /// "/api/v1/calls/{id}"
    void route(std::string method, std::string pattern, Handler handler, RouteRules rules = {});
    /// The handler answers when it can, within `rules.answer_limit`.
    void route_later(std::string method,
                     std::string pattern,
                     LaterHandler handler,
                     RouteRules rules = {});
    /// A GET of the path that opens a WebSocket.
    void websocket(std::string pattern, WebSocketHandler handler, RouteRules rules = {});

    /// A GET of the path that is answered in the way the request asks for.
    void choice(std::string pattern,
                Handler handler,
                StreamHandler stream,
                WebSocketHandler websocket,
                RouteRules rules = {});

    /// Asked for each request that a route takes, after the checks of Host and Origin, with the
    /// route's scope: it names the user, or answers. Without one nobody is refused.
    using Gate = std::function<std::optional<Response>(Request&, std::string_view scope)>;
    void set_gate(Gate gate);

    struct RouteInfo {
        std::string method, pattern, scope;
        bool opens_websocket = false;  ///< and nothing else
    };
    /// Every route so far, in the order of their adding.
    [[nodiscard]] std::vector<RouteInfo> routes() const;

    /// "127.0.0.1:5000", with the real port.
    [[nodiscard]] std::string address() const;

    /// Answers that go on: open ones, and those that ended as too slow since the start.
    struct StreamCounts {
        std::size_t open = 0;
        std::uint64_t slow = 0;
    };
    [[nodiscard]] StreamCounts streams() const;

    /// One request is answered. `route` is a pattern, or "other": bounded, for metrics.
    using Observer = std::function<void(std::string_view route, int status, double seconds)>;
    void on_answered(Observer observer);

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::http
