#pragma once

#include <memory>
#include <utility>

#include "ai/ai_order.h"

namespace offhook::ai::testing {

/// What control orders of an AI that needs nothing else.
inline AiOrder order(model::CallId id, config::Ai ai, std::shared_ptr<model::AudioPort> port) {
    auto settings = std::make_shared<BotSettings>();
    settings->ai = std::move(ai);
    return {.call = {.id = std::move(id)},
            .settings = std::move(settings),
            .port = std::move(port),
            .stats = std::make_shared<model::AiStats>()};
}

}  // namespace offhook::ai::testing
