#pragma once

#include <cstdint>

namespace offhook::api {

/// What the kernel says about this process; 0 where /proc does not tell.
struct ProcessStats {
    double cpu_seconds = 0;  ///< user + system
    std::uint64_t resident_bytes = 0;
    std::uint64_t open_fds = 0, max_fds = 0;
    std::uint64_t threads = 0;
};

[[nodiscard]] ProcessStats read_process_stats();

}  // namespace offhook::api
