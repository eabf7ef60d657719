#include "caller/arrival_clock.h"

#include <cstring>
#include <ctime>
#include <limits>

#include "base/monotonic.h"

namespace offhook::caller {

void ArrivalClock::refresh() noexcept {
    constexpr int kTries = 3;
    constexpr std::int64_t kTightNs = 2'000;
    std::int64_t best_ns = std::numeric_limits<std::int64_t>::max();
    // Being interrupted between the readings would look like a step: the tightest of a few tries
    // counts.
    for (int i = 0; i < kTries && best_ns > kTightNs; ++i) {
        const std::int64_t before_ns = base::monotonic_ns();
        const std::int64_t real_ns = base::realtime_ns();
        const std::int64_t width_ns = base::monotonic_ns() - before_ns;
        if (width_ns >= best_ns) continue;
        best_ns = width_ns;
        offset_ns_ = real_ns - before_ns - width_ns / 2;
    }
}

std::int64_t ArrivalClock::arrival_ns(msghdr& message) const noexcept {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec stamp{};
        std::memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
        return static_cast<std::int64_t>(stamp.tv_sec) * base::kNsPerS + stamp.tv_nsec - offset_ns_;
    }
    return base::monotonic_ns();
}

}  // namespace offhook::caller
