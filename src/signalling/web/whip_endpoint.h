#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/keyring.h"
#include "http/server.h"
#include "signalling/web/web_signaller.h"

namespace offhook::signalling::web {

/// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one POST makes a call, its Location ends it.
///
///     POST    /whip/{endpoint}    an offer that sends: the route's AI hears, and is heard when the
///                                 offer wants to receive as well
///     POST    /whep/{endpoint}    an offer that only receives: the route's AI is heard
///     PATCH   .../sessions/{id}   candidates, or an ICE restart
///     DELETE  .../sessions/{id}   hangs up
///
/// A session is gone as soon as its call is, whoever ended it.
/// @thread control
class WhipEndpoint {
public:
    struct Settings {
        bool whip = true, whep = true;
        std::vector<std::string> origins{};      ///< pages of others that may join
        std::vector<std::string> ice_servers{};  ///< "stun:host:port", told to clients
        std::chrono::milliseconds answer_limit{15'000};
        std::size_t max_sessions = 1000;
        std::size_t max_waiting_per_client = 64;  ///< offers of one address without an answer yet
    };
    /// Both references outlive this.
    WhipEndpoint(Settings settings, access::Keyring& keyring, WebSignaller& signaller);
    /// Hangs up every session.
    ~WhipEndpoint();
    WhipEndpoint(const WhipEndpoint&) = delete;
    WhipEndpoint& operator=(const WhipEndpoint&) = delete;

    /// Adds the routes. This outlives the server.
    void install(http::Server& server);
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

private:
    class Session;
    [[nodiscard]] std::optional<http::Response> refuse_change(const http::Request& request);
    void install(http::Server& server, Door door);
    void post(Door door, const http::Request& request, http::Responder responder);
    void patch(const http::Request& request, http::Responder responder);
    http::Response remove(const http::Request& request);
    [[nodiscard]] std::shared_ptr<Session> find(const http::Request& request) const;
    [[nodiscard]] bool is_crowded(const std::string& address) const;
    void forget(const std::string& id) { sessions_.erase(id); }
    [[nodiscard]] std::string links() const;  ///< the Link header; empty: there are none

    const Settings settings_;
    access::Keyring& keyring_;
    WebSignaller& signaller_;
    std::unordered_map<std::string, std::shared_ptr<Session>> sessions_;
};

/// What stands for a call in a path: 1 to 64 letters, digits and "-._~+".
[[nodiscard]] bool is_endpoint_name(std::string_view name);

}  // namespace offhook::signalling::web
