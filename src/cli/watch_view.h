#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/watched_call.h"

namespace offhook::cli {

/// One look at the daemon.
struct Sight {
    std::string url;
    WatchedDaemon daemon;
    std::vector<WatchedCall> calls;
    std::optional<std::string>
        error;  ///< why this look failed; `daemon` and `calls` are then those of the last good one
};

/// The view as lines no wider than `width` columns and no more than `height`, with SGR colours.
[[nodiscard]] std::vector<std::string> screen_lines(const Sight& sight, int width, int height);

/// The same for a file or a pipe: one line about the daemon and one for each call, without control
/// sequences.
[[nodiscard]] std::vector<std::string> plain_lines(const Sight& sight);

/// A bar of `cells` columns for a level: empty at -60 dBov and below, full at 0.
[[nodiscard]] std::string level_bar(double dbov, int cells);

}  // namespace offhook::cli
