#pragma once

#include <optional>
#include <string_view>

#include "ai/bot_settings.h"
#include "ai/bot_verb.h"
#include "base/json_writer.h"

namespace offhook::ai {

/// Whether the route lets a bot do anything but speak.
[[nodiscard]] bool has_openai_tools(const BotSettings& settings);
/// Writes the array of functions that the route allows: hang_up, transfer, send_digits, play_prompt,
/// hold.
void write_openai_tools(const BotSettings& settings, base::JsonWriter& w);
/// What a call of such a function asks for, allowed or not: that is the host's to say.
/// @param arguments  JSON as the model wrote it; reading it ends the life of a Message
/// @return nothing when no function has that name or its arguments cannot be read
[[nodiscard]] std::optional<BotRequest> openai_request(std::string_view name,
                                                       std::string_view arguments);

}  // namespace offhook::ai
