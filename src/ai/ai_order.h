#pragma once

#include <memory>

#include "ai/bot_settings.h"
#include "model/ai_stats.h"
#include "model/audio_port.h"

namespace offhook::ai {

/// An AI for a call. What is shared outlives whichever side lets it go first.
struct AiOrder {
    BotCall call;  ///< `call.id` names it; an older AI of the same id goes
    std::shared_ptr<const BotSettings> settings;
    std::shared_ptr<model::AudioPort> port;
    std::shared_ptr<model::AiStats> stats;
};

}  // namespace offhook::ai
