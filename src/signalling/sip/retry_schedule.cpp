#include "signalling/sip/retry_schedule.h"

#include <algorithm>

namespace offhook::signalling::sip {

std::int64_t RetrySchedule::between(std::int64_t from, std::int64_t to) {
    if (to <= from) return from;
    return std::uniform_int_distribution<std::int64_t>(from, to - 1)(random_);
}

std::int64_t RetrySchedule::next(std::int64_t now_ns, std::int64_t began_ns) {
    if (failures_ == 0) {
        first_failure_ns_ = now_ns;
        delay_ns_ = kFirstNs;
    } else {
        const bool is_quick = now_ns - first_failure_ns_ < kQuickForNs;
        delay_ns_ = std::min(2 * delay_ns_, is_quick ? kQuickNs : kSlowNs);
    }
    ++failures_;
    const std::int64_t delay = between(delay_ns_ * 3 / 4, delay_ns_ + 1);
    return std::max(now_ns + kMinPauseNs, began_ns + delay);
}

}  // namespace offhook::signalling::sip
