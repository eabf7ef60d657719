#include "base/monotonic.h"

#include <ctime>

namespace offhook::base {
namespace {

std::int64_t read_clock(clockid_t id) noexcept {
    timespec now{};
    clock_gettime(id, &now);
    return static_cast<std::int64_t>(now.tv_sec) * kNsPerS + now.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() noexcept {
    return read_clock(CLOCK_MONOTONIC);
}

std::int64_t realtime_ns() noexcept {
    return read_clock(CLOCK_REALTIME);
}

}  // namespace offhook::base
