#include "ai/verb_desk.h"

#include <utility>

#include "base/monotonic.h"

namespace offhook::ai {

bool allows(const BotSettings& settings, BotVerb verb) noexcept {
    switch (verb) {
        case BotVerb::HangUp:
            return settings.may_hang_up;
        case BotVerb::Transfer:
            return settings.may_transfer;
        case BotVerb::SendDigits:
            return settings.may_send_digits;
        case BotVerb::PlayPrompt:
            return settings.may_play_prompt;
        case BotVerb::Hold:
        case BotVerb::Resume:
            return settings.may_hold;
    }
    return false;
}

bool VerbDesk::number(BotRequest& request, std::int64_t now_ns) noexcept {
    request.number = ++last_number_;
    if (second_ns_ == 0 || now_ns - second_ns_ >= base::kNsPerS) {
        second_ns_ = now_ns;
        in_second_ = 0;
    }
    return ++in_second_ <= kMostPerSecond;
}

bool VerbDesk::add(const BotRequest& request, Stage stage) {
    if (entries_.size() >= kMostPending) return false;
    entries_[request.number] = {request, stage};
    return true;
}

VerbDesk::Entry* VerbDesk::find(std::uint64_t number) noexcept {
    const auto found = entries_.find(number);
    return found == entries_.end() ? nullptr : &found->second;
}

std::optional<BotRequest> VerbDesk::take(std::uint64_t number) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return std::nullopt;
    std::optional<BotRequest> request(std::move(found->second.request));
    entries_.erase(found);
    return request;
}

}  // namespace offhook::ai
