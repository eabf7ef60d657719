#include "ai/back_off.h"

#include <algorithm>

namespace offhook::ai {

BackOff::BackOff(std::int64_t limit_ns, std::uint64_t seed) : limit_ns_(limit_ns) {
    // Straight from a small seed the first draws would all be small.
    std::seed_seq spread{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)};
    random_.seed(spread);
}

void BackOff::lost(std::int64_t now_ns, std::int64_t stood_ns) {
    if (since_ns_ && stood_ns < kStoodNs) return;
    since_ns_ = now_ns;
    ceiling_ns_ = kFirstNs;
}

std::optional<std::int64_t> BackOff::next(std::int64_t now_ns) {
    const std::int64_t until_ns = since_ns_.value_or(now_ns) + limit_ns_;
    if (now_ns >= until_ns) return std::nullopt;
    std::uniform_int_distribution<std::int64_t> part(kLeastNs, ceiling_ns_);
    ceiling_ns_ = std::min(ceiling_ns_ * 2, kLongestNs);
    return std::min(now_ns + part(random_), until_ns);
}

}  // namespace offhook::ai
