#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "ai/bot_protocol.h"

namespace offhook::ai {

/// AudioSocket over TCP, of which we are the Asterisk: a byte of kind, a length, a payload. It has no
/// marks, no flush and no pause, and what a bot sends ahead is what an interruption has to wait for.
[[nodiscard]] std::unique_ptr<BotProtocol> make_audiosocket(BotHost& host);

/// What AudioSocket calls a call: version 5 (RFC 4122 §4.3) in the namespace of URLs, of
/// "offhook:" and the call's id. A bot that has the id can make it as well.
[[nodiscard]] std::array<std::byte, 16> audiosocket_uuid(std::string_view call_id);

}  // namespace offhook::ai
