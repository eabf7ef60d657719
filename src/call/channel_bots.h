#pragma once

#include <functional>
#include <set>
#include <string_view>

#include "ai/ai_runtime.h"
#include "call/bot_lookup.h"
#include "channel/channels.h"
#include "model/call_id.h"

namespace offhook::call {

/// The AIs that are members of channels, without a call of their own. All that such a one may ask
/// for is to leave.
/// @thread control
class ChannelBots {
public:
    /// Borrowed; they outlive this.
    struct Parts {
        ai::AiRuntime* ai = nullptr;
        BotLookup bot{};
        channel::Channels* channels = nullptr;  ///< null: there are none
        std::function<void(std::string_view verb, std::string_view result)> on_verb{};
    };
    explicit ChannelBots(Parts parts) : parts_(std::move(parts)) {}

    /// No: there is no such AI.
    channel::AiComes attach(const channel::ChannelAi& wanted);
    void dismiss(const model::CallId& session);
    void on_request(const model::CallId& session, const ai::BotRequest& request);
    /// It ended its part, or stays away for good.
    void on_gone(const model::CallId& session);

private:
    Parts parts_;
    std::set<model::CallId> sessions_;
};

}  // namespace offhook::call
