#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace offhook::caller {

/// Brings the kernel's receive stamps (SO_TIMESTAMPNS, CLOCK_REALTIME) onto CLOCK_MONOTONIC, so
/// that a stepped wall clock spoils at most the packets that were waiting at that moment.
/// @thread one
class ArrivalClock {
public:
    ArrivalClock() noexcept { refresh(); }
    /// Measures the distance of the two clocks again; call once per turn of the loop.
    void refresh() noexcept;
    /// When the kernel received what `message` holds; now, when it has no stamp.
    [[nodiscard]] std::int64_t arrival_ns(msghdr& message) const noexcept;

private:
    std::int64_t offset_ns_ = 0;  ///< realtime - monotonic
};

}  // namespace offhook::caller
