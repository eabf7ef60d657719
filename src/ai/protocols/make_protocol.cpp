#include <memory>

#include "ai/bot_protocol.h"
#include "ai/protocols/asterisk.h"
#include "ai/protocols/audiosocket.h"
#include "ai/protocols/openai.h"
#include "ai/protocols/plain.h"
#include "ai/protocols/twilio.h"
#include "ai/protocols/twilio_jambonz.h"

namespace offhook::ai {

std::unique_ptr<BotProtocol> make_protocol(BotHost& host) {
    const config::Ai& ai = host.settings().ai;
    switch (ai.protocol) {
        case config::AiProtocol::Plain:
            return std::make_unique<Plain>(host);
        case config::AiProtocol::Twilio:
            if (ai.dialect == "jambonz") return std::make_unique<Jambonz>(host);
            return std::make_unique<Twilio>(host);
        case config::AiProtocol::Asterisk:
            return make_asterisk(host);
        case config::AiProtocol::AudioSocket:
            return make_audiosocket(host);
        case config::AiProtocol::OpenAi:
            return make_openai(host);
        case config::AiProtocol::Echo:
        case config::AiProtocol::Mute:
        case config::AiProtocol::Burst:
        case config::AiProtocol::Tone:
            break;
    }
    return nullptr;
}

}  // namespace offhook::ai
