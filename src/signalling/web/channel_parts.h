#pragma once

#include <glib.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/join_tokens.h"
#include "base/error.h"
#include "connection/registry.h"
#include "http/message.h"
#include "model/call_directory.h"
#include "model/channel.h"
#include "signalling/web/channel_messages.h"
#include "signalling/web/web_signaller.h"

namespace offhook::signalling::web {

struct ChannelSettings {
    std::vector<std::string> origins{};              ///< pages of others that may join
    std::vector<std::string> ice_servers{};          ///< "stun:host:port", told to clients
    std::chrono::milliseconds join_limit{10'000};    ///< from open to `join`
    std::chrono::milliseconds resume_limit{10'000};  ///< a member is away for so long at most
    std::chrono::milliseconds stats_period{2'000};
    std::size_t max_messages = 1'000;  ///< of one connection in a minute
    http::WebSocketLimits websocket{.ping = std::chrono::seconds(10)};
};

/// What is known of a member that wants to know what is wrong with its sound.
struct ChannelPatient {
    model::ChannelInfo channel;
    model::MemberInfo member;
    std::optional<model::CallInfo> call;  ///< of its leg, or of the last it had; empty: none
    ClientFigures client;                 ///< what its browser said last
};

/// What the WebSocket of channels works with; all of it outlives the endpoint.
/// @thread control
struct ChannelParts {
    model::ChannelControl& channels;
    connection::Registry& registry;
    WebSignaller& signaller;
    GMainContext* context;
    /// Before a WebSocket is opened; an answer refuses it. Empty: nobody is.
    std::function<std::optional<http::Response>(const http::Request&)> admit{};
    /// Who joins, and where. The grant's channel is the one that is asked for.
    /// @see grant_of
    std::function<base::Result<access::JoinGrant>(const http::Request&, const asked::Join&)>
        authenticate;
    std::function<std::optional<model::CallInfo>(const model::CallId&)> find_call;
};

}  // namespace offhook::signalling::web
