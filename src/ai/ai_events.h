#pragma once

#include <string>

#include "ai/bot_settings.h"
#include "ai/bot_verb.h"
#include "model/ai_stats.h"
#include "model/call_id.h"

namespace offhook::ai {

/// What the AI side wants of the rest of the daemon. Told on the ai thread: whoever implements this
/// posts to its own.
class AiEvents {
public:
    virtual ~AiEvents() = default;
    /// A verb that the route allows and that is not the AI side's to do (all but PlayPrompt). Its
    /// end is told back as VerbNews.
    virtual void on_request(const model::CallId& id, const BotRequest& request) = 0;
    /// A verb that the route does not allow; the bot was told.
    virtual void on_refused(const model::CallId& id, const BotRequest& request) = 0;
    /// @param detail  a sentence
    virtual void on_state(const model::CallId& id,
                          model::AiState state,
                          const std::string& detail) = 0;
    /// The bot stays away, or ended its part: this is what the route wants now. A prompt has been
    /// played already when it is told.
    virtual void on_fallback(const model::CallId& id, const Fallback& next) = 0;
    /// The bot ended the call in its protocol's way, or the list of fallbacks is at its end.
    virtual void on_finished(const model::CallId& id, const std::string& detail) = 0;
    /// Where the bot may connect for this call: "/media/ID".
    virtual void on_waiting(const model::CallId& id, const std::string& path) = 0;
};

}  // namespace offhook::ai
