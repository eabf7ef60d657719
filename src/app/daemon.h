#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "config/load.h"

namespace offhook::app {

struct DaemonOptions {
    config::LoadRequest load;
    int ready_fd =
        -1;  ///< gets one line "ready http://... udp:... tcp:..." once everything listens
};

/// `offhook serve`: builds the rooms in order, runs until told to stop, takes them down in reverse.
///
///     log -> GStreamer -> launch files -> AI -> media workers -> reaper -> calls -> SIP -> HTTP
///
/// SIGTERM, SIGINT: drain, again: now. SIGHUP: launch files and log file are read again.
/// @return the exit code: 0, 78 bad configuration, 1 something could not be started
/// @thread main; becomes the control thread
[[nodiscard]] int run_daemon(const DaemonOptions& options);

}  // namespace offhook::app
