#pragma once

#include "ai/bot_settings.h"
#include "call/call.h"

namespace offhook::call {

/// What the call's bot is told of it; the parameters of `settings` with the call's values in them.
[[nodiscard]] ai::BotCall bot_call_of(const Call& call, const ai::BotSettings& settings);

}  // namespace offhook::call
