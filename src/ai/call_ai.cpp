#include "ai/call_ai.h"

#include "ai/burst.h"
#include "ai/echo.h"
#include "ai/mute.h"
#include "ai/tone.h"

namespace offhook::ai {

std::unique_ptr<CallAi> make_ai(const config::Ai& ai,
                                model::AudioPort& port,
                                AiCounters& counters) {
    switch (ai.protocol) {
        case config::AiProtocol::Mute:
            return std::make_unique<Mute>();
        case config::AiProtocol::Burst:
            return std::make_unique<Burst>(ai, port);
        case config::AiProtocol::Tone:
            return std::make_unique<Tone>(ai, port);
        default:
            break;
    }
    return std::make_unique<Echo>(ai, port, counters);
}

}  // namespace offhook::ai
