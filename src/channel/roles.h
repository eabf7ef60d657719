#pragma once

#include <span>

#include "mixer/channel_mixer.h"
#include "model/channel.h"

namespace offhook::channel {

/// What of a member decides who hears it.
struct Voice {
    model::MemberRole role = model::MemberRole::Speaker;
    bool is_muted = false;
    double gain_db = 0;  ///< -60 to 20
};

/// Who hears whom, by place. Nobody hears itself or who is muted. Listen and Whisper hear what the
/// speakers and the AI say, Whisper is heard by the AI alone; while somebody takes over the AI
/// neither hears nor is heard.
[[nodiscard]] mixer::Matrix matrix_of(std::span<const Voice> members);

/// @param db  -60 to 20
[[nodiscard]] float linear_gain(double db) noexcept;

}  // namespace offhook::channel
