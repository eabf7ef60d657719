#include "ai/bot_protocol.h"

namespace offhook::ai {

std::unique_ptr<BotProtocol> make_protocol(BotHost& host) {
    switch (host.settings().ai.protocol) {
        case config::AiProtocol::Plain:
        case config::AiProtocol::Twilio:
        case config::AiProtocol::Asterisk:
        case config::AiProtocol::AudioSocket:
        case config::AiProtocol::OpenAi:
        case config::AiProtocol::Echo:
        case config::AiProtocol::Mute:
        case config::AiProtocol::Burst:
        case config::AiProtocol::Tone:
            break;
    }
    return nullptr;
}

}  // namespace offhook::ai
