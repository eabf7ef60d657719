#include "model/channel.h"

#include <algorithm>

namespace offhook::model {

std::string_view name_of(MemberKind kind) noexcept {
    switch (kind) {
        case MemberKind::Browser:
            return "browser";
        case MemberKind::Phone:
            return "phone";
        case MemberKind::Ai:
            break;
    }
    return "ai";
}

std::string_view name_of(MemberRole role) noexcept {
    switch (role) {
        case MemberRole::Speaker:
            return "speaker";
        case MemberRole::Caller:
            return "caller";
        case MemberRole::Ai:
            return "ai";
        case MemberRole::Listen:
            return "listen";
        case MemberRole::Whisper:
            return "whisper";
        case MemberRole::Barge:
            return "barge";
        case MemberRole::TakeOver:
            break;
    }
    return "take-over";
}

std::optional<MemberRole> member_role(std::string_view name) noexcept {
    for (const MemberRole role : {MemberRole::Speaker,
                                  MemberRole::Listen,
                                  MemberRole::Whisper,
                                  MemberRole::Barge,
                                  MemberRole::TakeOver}) {
        if (name_of(role) == name) return role;
    }
    return std::nullopt;
}

std::string_view name_of(ChannelPolicy policy) noexcept {
    switch (policy) {
        case ChannelPolicy::Everybody:
            return "everybody";
        case ChannelPolicy::Call:
            return "call";
        case ChannelPolicy::Supervised:
            break;
    }
    return "supervised";
}

std::optional<ChannelPolicy> channel_policy(std::string_view name) noexcept {
    for (const ChannelPolicy policy :
         {ChannelPolicy::Everybody, ChannelPolicy::Call, ChannelPolicy::Supervised}) {
        if (name_of(policy) == name) return policy;
    }
    return std::nullopt;
}

bool is_channel_name(std::string_view name) noexcept {
    constexpr std::size_t kMaxBytes = 64;
    return !name.empty() && name.size() <= kMaxBytes &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("-._~+").find(c) != std::string_view::npos;
           });
}

std::string_view name_of(MemberState state) noexcept {
    switch (state) {
        case MemberState::Joining:
            return "joining";
        case MemberState::Connected:
            return "connected";
        case MemberState::Away:
            break;
    }
    return "away";
}

}  // namespace offhook::model
