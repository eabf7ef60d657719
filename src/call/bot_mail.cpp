#include "call/bot_mail.h"

#include <utility>

#include "call/call_registry.h"

namespace offhook::call {

BotMail::BotMail(base::Executor& control) : control_(control) {}

template <class Told>
void BotMail::post(Told told) {
    control_.post([reader = reader_, told = std::move(told)] {
        if (reader->registry != nullptr) told(*reader->registry);
    });
}

void BotMail::on_request(const model::CallId& id, const ai::BotRequest& request) {
    post([id, request](CallRegistry& calls) { calls.on_bot_request(id, request); });
}

void BotMail::on_refused(const model::CallId& id, const ai::BotRequest& request) {
    post([id, request](CallRegistry& calls) { calls.on_bot_refused(id, request); });
}

void BotMail::on_state(const model::CallId& id, model::AiState state, const std::string& detail) {
    post([id, state, detail](CallRegistry& calls) { calls.on_bot_state(id, state, detail); });
}

void BotMail::on_fallback(const model::CallId& id, const ai::Fallback& next) {
    post([id, next](CallRegistry& calls) { calls.on_bot_fallback(id, next); });
}

void BotMail::on_finished(const model::CallId& id, const std::string& detail) {
    post([id, detail](CallRegistry& calls) { calls.on_bot_finished(id, detail); });
}

void BotMail::on_waiting(const model::CallId& id, const std::string& path) {
    post([id, path](CallRegistry& calls) { calls.on_bot_waiting(id, path); });
}

}  // namespace offhook::call
