#include "media/port_range.h"

#include <random>

namespace offhook::media {

PortRange::PortRange(std::uint16_t first, std::uint16_t last, int dscp)
    : dscp_(dscp), first_((first + 1U) & ~1U), pairs_((last + 1U - first_) / 2) {
    next_ = pairs_ == 0 ? 0 : std::random_device{}() % pairs_;
}

base::Result<session::SocketPair> PortRange::open(const std::string& address) {
    for (std::uint32_t tried = 0; tried < pairs_; ++tried) {
        const auto port = static_cast<std::uint16_t>(first_ + 2 * next_);
        next_ = (next_ + 1) % pairs_;
        auto pair = session::SocketPair::open(address, port, dscp_);
        if (pair || pair.error().code != base::ErrorCode::Conflict) return pair;
    }
    return base::fail(base::ErrorCode::LimitReached,
                      "no RTP port is left of " + std::to_string(first_) + "-" +
                          std::to_string(first_ + 2 * pairs_ - 1) +
                          "; widen [rtp] ports or take fewer calls");
}

}  // namespace offhook::media
