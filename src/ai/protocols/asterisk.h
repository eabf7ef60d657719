#pragma once

#include <memory>

#include "ai/bot_protocol.h"

namespace offhook::ai {

/// Asterisk's chan_websocket, of which we are the Asterisk: control in text or JSON, sound as binary
/// in the format that MEDIA_START names (ulaw, alaw, slin, slin16, slin24). A bot sees the same
/// whether we dialled it or it came to us.
///
/// Its queue's levels (XOFF at 900 frames of 20 ms, XON below 800, full at 1000) shrink with a
/// `queue_s` of less than 20 s.
[[nodiscard]] std::unique_ptr<BotProtocol> make_asterisk(BotHost& host);

}  // namespace offhook::ai
