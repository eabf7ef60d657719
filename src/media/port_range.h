#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "session/socket_pair.h"

namespace offhook::media {

/// Hands out RTP/RTCP port pairs of a configured range. The kernel knows which are taken: a taken
/// one means the next. Starts at a random pair and goes round, so that a port just freed is the
/// last to be used again (late packets of an old call).
/// @thread control
class PortRange {
public:
    PortRange(std::uint16_t first, std::uint16_t last, int dscp);

    /// @param address numeric, local
    /// @errors LimitReached when every pair of the range is taken; Io when the address cannot be
    /// bound or descriptors ran out
    [[nodiscard]] base::Result<session::SocketPair> open(const std::string& address);

private:
    int dscp_;
    std::uint32_t first_;
    std::uint32_t pairs_;
    std::uint32_t next_;
};

}  // namespace offhook::media
