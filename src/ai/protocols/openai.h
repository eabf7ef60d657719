#pragma once

#include <memory>

#include "ai/bot_protocol.h"

namespace offhook::ai {

/// OpenAI Realtime over WebSocket. We ask with the names of GA or, by `beta`, those before it; events
/// are understood under both. Sound is G.711, or S16 at 24 kHz.
///
///     session.created --> session.update --> session.updated --> conversation so far, greeting, ready
///
/// The service sends sound faster than it is heard, so an interruption is ours to carry out: the
/// queue goes, and the item that was playing is truncated at the last sample that left as RTP.
[[nodiscard]] std::unique_ptr<BotProtocol> make_openai(BotHost& host);

}  // namespace offhook::ai
