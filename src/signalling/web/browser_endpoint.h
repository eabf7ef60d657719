#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/keyring.h"
#include "connection/registry.h"
#include "glib/ref.h"
#include "http/server.h"
#include "signalling/web/web_signaller.h"

namespace offhook::signalling::web {

inline constexpr const char* kBrowserPath = "/api/v1/web/ws";
/// Of the messages; a client that knows another has to stop. Fields may be added to one version.
inline constexpr int kBrowserVersion = 1;

/// Our own signalling for browsers: a WebSocket that is one call, JSON messages.
///
///     ours   welcome {version, ice_servers}, answer {sdp, id}, error {code, status, detail,
///            id}, bye {reason}
///     theirs join {sdp, token}, offer {sdp, id}, candidate {candidate}, bye
///
/// The first error before an answer, and `bye`, are followed by the end of the connection.
/// @thread control
class BrowserEndpoint {
public:
    struct Settings {
        std::vector<std::string> origins{};            ///< pages of others that may join
        std::vector<std::string> ice_servers{};        ///< "stun:host:port", told to clients
        std::chrono::milliseconds join_limit{10'000};  ///< from open to `join`
        std::size_t max_sockets = 500;
        std::size_t max_messages = 1'000;  ///< of one connection in a minute
    };
    /// The references outlive this.
    BrowserEndpoint(Settings settings,
                    access::Keyring& keyring,
                    WebSignaller& signaller,
                    connection::Registry& registry,
                    GMainContext* context);
    /// Hangs up every call.
    ~BrowserEndpoint();
    BrowserEndpoint(const BrowserEndpoint&) = delete;
    BrowserEndpoint& operator=(const BrowserEndpoint&) = delete;

    /// Adds the route. This outlives the server.
    void install(http::Server& server);
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

private:
    class Session;
    [[nodiscard]] std::optional<http::Response> admit(const http::Request& request);
    void open(const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket);
    void forget(Session* session);

    const Settings settings_;
    access::Keyring& keyring_;
    WebSignaller& signaller_;
    connection::Registry& registry_;
    glib::Ref<GMainContext> context_;
    std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
};

}  // namespace offhook::signalling::web
