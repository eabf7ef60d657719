#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "ai/bot_settings.h"
#include "base/error.h"
#include "call/bot_lookup.h"
#include "config/config.h"

namespace offhook::app {

/// What the bots of all calls are made of: secrets and prompts read once at start, one BotSettings
/// for each route and AI that a call asked for. SIGHUP does not read them again, as the rest of the
/// configuration.
/// @thread control
class AiSettings {
public:
    /// @param config  outlives this
    /// @errors InvalidArgument, with the sentence: a secret, a prompt or a file of instructions
    /// that cannot be read
    [[nodiscard]] static base::Result<AiSettings> load(const config::Config& config);

    /// One object for all that ask alike. @return null: there is no such AI
    [[nodiscard]] std::shared_ptr<const ai::BotSettings> find(const call::BotChoice& choice);

private:
    using Key = std::tuple<std::string, std::string, std::size_t>;

    std::string consent_prompt_;
    std::shared_ptr<const ai::PromptBook> prompts_;
    std::map<std::string, ai::BotSettings> bots_;  ///< by name of the AI; nothing of a route yet
    std::map<Key, std::shared_ptr<const ai::BotSettings>> made_;
};

}  // namespace offhook::app
