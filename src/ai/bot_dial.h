#pragma once

#include <cstddef>
#include <string>

#include "ai/bot_protocol.h"
#include "ai/bot_settings.h"
#include "socket/link.h"

namespace offhook::ai {

/// Of a bot: a minute of 24 kHz as base64 in one message.
inline constexpr std::size_t kMaxMessageBytes = 4 * 1024 * 1024;

/// How a bot is dialled: what its protocol wants, and the credentials, headers, proxy and bounds of
/// its settings. Bearer, user and password become Authorization (RFC 6750 §2.1, RFC 7617 §2), unless
/// a header of that name is set.
/// @param traceparent  the header of that name (W3C Trace Context), unless the settings have one;
///                     may be empty, and TCP has no headers
[[nodiscard]] socket::DialSettings dial_settings(const BotSettings& settings,
                                                 Opening opening,
                                                 const std::string& traceparent = {});

}  // namespace offhook::ai
