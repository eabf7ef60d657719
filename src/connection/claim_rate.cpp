#include "connection/claim_rate.h"

namespace offhook::connection {

bool ClaimRate::take(const Place& place, std::int64_t now_ns) {
    if (max_claims_ == 0) return true;
    std::deque<std::int64_t>& times = places_[place];
    const bool is_full = times.size() >= max_claims_;
    const bool is_too_often = is_full && now_ns - times.front() < window_ns_;
    if (is_full) times.pop_front();
    times.push_back(now_ns);
    return !is_too_often;
}

void ClaimRate::tidy(std::int64_t now_ns) {
    std::erase_if(places_,
                  [&](const auto& each) { return now_ns - each.second.back() >= window_ns_; });
}

}  // namespace offhook::connection
