#include "ai/bot_protocol.h"
#include "ai/protocols/asterisk.h"
#include "ai/protocols/audiosocket.h"

namespace offhook::ai {

std::unique_ptr<BotProtocol> make_protocol(BotHost& host) {
    switch (host.settings().ai.protocol) {
        case config::AiProtocol::Plain:
        case config::AiProtocol::Twilio:
            break;
        case config::AiProtocol::Asterisk:
            return make_asterisk(host);
        case config::AiProtocol::AudioSocket:
            return make_audiosocket(host);
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
