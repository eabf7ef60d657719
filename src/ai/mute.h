#pragma once

#include "ai/call_ai.h"

namespace offhook::ai {

/// Listens to everything and says nothing: the line lives on filler alone.
class Mute final : public CallAi {
public:
    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;
};

}  // namespace offhook::ai
