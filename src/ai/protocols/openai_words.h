#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ai/bot_settings.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/openai_conversation.h"

namespace offhook::ai::openai {

// The events that we send, as JSON text. An `event_id` comes back in an error about the event.

inline constexpr std::string_view kSessionEvent = "offhook-session";
inline constexpr std::string_view kResponseEvent = "offhook-response";
inline constexpr std::string_view kCancelEvent = "offhook-cancel";

/// The session as configured. @param interrupts  the service ends its answer when the caller speaks
[[nodiscard]] std::string session_update(const BotSettings& settings,
                                         Encoding encoding,
                                         bool interrupts);
/// One message of a conversation. @param is_beta  names an assistant's text as before GA
[[nodiscard]] std::string message_item(const OpenAiConversation::Turn& turn, bool is_beta);
[[nodiscard]] std::string function_output(std::string_view call_id, std::string_view output);
[[nodiscard]] std::string truncate(std::string_view item_id,
                                   std::int64_t content_index,
                                   std::uint64_t audio_end_ms);
[[nodiscard]] std::string response_create();
[[nodiscard]] std::string response_cancel(std::string_view response_id);
[[nodiscard]] std::string commit();

}  // namespace offhook::ai::openai
