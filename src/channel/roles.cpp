#include "channel/roles.h"

#include <algorithm>
#include <cmath>

namespace offhook::channel {

using model::MemberRole;

namespace {

bool hears(MemberRole listener, MemberRole source, bool is_taken_over) {
    if (is_taken_over && (listener == MemberRole::Ai || source == MemberRole::Ai)) return false;
    switch (source) {
        case MemberRole::Listen:
            return false;
        case MemberRole::Whisper:
            return listener == MemberRole::Ai;
        case MemberRole::Speaker:
        case MemberRole::Caller:
        case MemberRole::Ai:
        case MemberRole::Barge:
        case MemberRole::TakeOver:
            break;
    }
    return true;
}

}  // namespace

float linear_gain(double db) noexcept {
    return static_cast<float>(std::pow(10.0, std::clamp(db, -60.0, 20.0) / 20.0));
}

mixer::Matrix matrix_of(std::span<const Voice> members) {
    mixer::Matrix matrix(members.size());
    const bool is_taken_over = std::any_of(members.begin(), members.end(), [](const Voice& member) {
        return member.role == MemberRole::TakeOver;
    });
    for (std::size_t source = 0; source < members.size(); ++source) {
        if (members[source].is_muted) continue;
        const float gain = linear_gain(members[source].gain_db);
        for (std::size_t listener = 0; listener < members.size(); ++listener) {
            if (listener != source &&
                hears(members[listener].role, members[source].role, is_taken_over)) {
                matrix.set(listener, source, gain);
            }
        }
    }
    return matrix;
}

}  // namespace offhook::channel
