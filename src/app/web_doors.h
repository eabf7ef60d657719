#pragma once

#include <memory>
#include <optional>

#include "access/keyring.h"
#include "base/executor.h"
#include "config/config.h"
#include "connection/registry.h"
#include "http/server.h"
#include "model/call_directory.h"
#include "signalling/web/browser_endpoint.h"
#include "signalling/web/web_signaller.h"
#include "signalling/web/whip_endpoint.h"

namespace offhook::app {

/// The ways over HTTP by which web peers bring calls, as `[web]` opens them.
/// @thread control
class WebDoors {
public:
    /// @param keyring, control, events, registry  outlive this
    WebDoors(const config::Web& web,
             access::Keyring& keyring,
             base::Executor& control,
             model::SignallingEvents& events,
             connection::Registry& registry,
             GMainContext* context);

    /// Adds the routes. This outlives the server.
    void install(http::Server& server);
    /// Hangs up whoever is left. Ends are told from the loop, so this outlives its next turns.
    void close();

private:
    signalling::web::WebSignaller signaller_;
    std::optional<signalling::web::WhipEndpoint> whip_;
    std::optional<signalling::web::BrowserEndpoint> browser_;
};

}  // namespace offhook::app
