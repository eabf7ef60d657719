#include "ai/mute.h"

namespace offhook::ai {

void Mute::on_caller_audio(std::span<const std::int16_t> /*pcm*/) {}

void Mute::on_tick(std::int64_t /*now_ns*/) {}

}  // namespace offhook::ai
