#pragma once

namespace CLI {
class App;
}

namespace offhook::cli {

/// Adds `offhook watch`: the daemon's calls, live in a terminal, from its HTTP API. The result goes
/// to `exit_code`: 0 after Ctrl-C or --seconds, 2 usage, 69 when the daemon is not there (for 5 s
/// at the start, 3 s later on).
/// @param exit_code outlives `app`
void add_watch_command(CLI::App& app, int& exit_code);

}  // namespace offhook::cli
