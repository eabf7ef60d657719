#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "connection/registry.h"
#include "model/ai_stats.h"
#include "model/call_directory.h"

namespace offhook::app {

/// The sockets of calls' bots, as entries of the registry: each from the moment on in which the bot
/// hears the caller until it does not.
///
/// They are the ai thread's; what is known of them here comes from a call's AiStats, and to end one
/// is a wish.
/// @thread control
class AiSockets {
public:
    /// Ends the n-th connection of a call's bot, if it is still that one.
    using Drop = std::function<void(const model::CallId& call, std::uint64_t connection)>;
    /// @param registry outlives this
    AiSockets(connection::Registry& registry, Drop drop);
    ~AiSockets();
    AiSockets(const AiSockets&) = delete;
    AiSockets& operator=(const AiSockets&) = delete;

    /// The bot of `call` is as `call.bot.state` says now.
    void on_state(const model::CallInfo& call, const std::shared_ptr<model::AiStats>& stats);
    /// The call has no bot any more.
    void on_left(const model::CallId& call);

private:
    class Entry;
    void end(const model::CallId& call, connection::EndReason why, const std::string& detail);

    connection::Registry& registry_;
    const Drop drop_;
    std::unordered_map<model::CallId, std::unique_ptr<Entry>> entries_;
};

}  // namespace offhook::app
