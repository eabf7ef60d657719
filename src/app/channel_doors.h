#pragma once

#include <optional>

#include "access/keyring.h"
#include "base/executor.h"
#include "config/config.h"
#include "connection/registry.h"
#include "http/server.h"
#include "model/call_directory.h"
#include "model/channel.h"
#include "model/signalling.h"
#include "signalling/web/channel_endpoint.h"
#include "signalling/web/web_signaller.h"

namespace offhook::app {

/// The way of browsers into voice channels.
/// @thread control
class ChannelDoors {
public:
    /// All of them outlive this.
    struct Parts {
        const config::Web& web;
        access::Keyring& keyring;
        connection::Registry& registry;
        model::ChannelControl& channels;
        model::CallDirectory& calls;
        model::SignallingEvents& events;  ///< who takes the legs
        base::Executor& control;
        GMainContext* context;
    };
    explicit ChannelDoors(Parts parts);

    /// Adds the route. This outlives the server.
    void install(http::Server& server) { endpoint_->install(server); }
    /// Everybody leaves. Ends are told from the loop, so this outlives its next turns.
    void close() { endpoint_.reset(); }

private:
    signalling::web::WebSignaller signaller_;
    std::optional<signalling::web::ChannelEndpoint> endpoint_;
};

}  // namespace offhook::app
