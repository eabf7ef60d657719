#include "ai/ai_protocol.h"

#include "ai/burst.h"
#include "ai/echo.h"
#include "ai/mute.h"
#include "ai/tone.h"

namespace offhook::ai {

std::unique_ptr<AiProtocol> make_protocol(const config::Ai& ai,
                                          model::AudioPort& port,
                                          AiCounters& counters) {
    switch (ai.protocol) {
        case config::AiProtocol::Mute:
            return std::make_unique<Mute>();
        case config::AiProtocol::Burst:
            return std::make_unique<Burst>(ai, port);
        case config::AiProtocol::Tone:
            return std::make_unique<Tone>(ai, port);
        case config::AiProtocol::Echo:
            break;
    }
    return std::make_unique<Echo>(ai, port, counters);
}

}  // namespace offhook::ai
