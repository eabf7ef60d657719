#pragma once

#include <cstdint>
#include <vector>

#include "signalling/web/channel_messages.h"
#include "signalling/web/channel_parts.h"

namespace offhook::signalling::web {

/// What is wrong with a member's sound: by the daemon's rules, and by what its browser says beside
/// that. A browser's figures are its word: they add findings and evidence, and take none away.
/// @param now_ns  CLOCK_REALTIME
[[nodiscard]] std::vector<ChannelFinding> findings_of(const ChannelPatient& patient,
                                                      std::int64_t now_ns);

}  // namespace offhook::signalling::web
