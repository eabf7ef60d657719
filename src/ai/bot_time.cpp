#include "ai/bot_time.h"

#include <algorithm>

namespace offhook::ai {

void BotTime::add_prompt(std::uint64_t position, std::uint64_t samples) {
    if (samples != 0) prompts_.push_back({position, samples});
}

std::uint64_t BotTime::of(std::uint64_t position) const noexcept {
    std::uint64_t prompted = gone_samples_;
    for (const Prompt& prompt : prompts_) {
        if (position <= prompt.from) break;
        prompted += std::min(position - prompt.from, prompt.samples);
    }
    return position - std::min(prompted, position);
}

void BotTime::forget_before(std::uint64_t position) noexcept {
    while (!prompts_.empty() && prompts_.front().from + prompts_.front().samples <= position) {
        gone_samples_ += prompts_.front().samples;
        prompts_.pop_front();
    }
}

}  // namespace offhook::ai
