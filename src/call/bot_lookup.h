#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "ai/bot_settings.h"
#include "config/config.h"

namespace offhook::call {

/// Which bot a call wants.
struct BotChoice {
    const config::Route& route;
    const std::string& ai;
    std::size_t fallbacks_used = 0;  ///< so many of the route's are behind it
};
/// What it is made of; null: there is no such AI.
using BotLookup = std::function<std::shared_ptr<const ai::BotSettings>(const BotChoice&)>;

}  // namespace offhook::call
