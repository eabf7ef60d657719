#include "session/inbound_loss.h"

#include <algorithm>
#include <limits>

namespace offhook::session {

void InboundLoss::set(double share) noexcept {
    const double whole = std::numeric_limits<std::uint32_t>::max();
    limit_.store(static_cast<std::uint32_t>(std::clamp(share, 0.0, 1.0) * whole),
                 std::memory_order_relaxed);
}

// xorshift32, by thread: no two workers wait for each other.
std::uint32_t InboundLoss::draw() noexcept {
    thread_local std::uint32_t state = 2463534242U;
    state ^= state << 13U;
    state ^= state >> 17U;
    state ^= state << 5U;
    return state;
}

}  // namespace offhook::session
