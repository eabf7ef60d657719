#pragma once

#include <CLI/CLI.hpp>

namespace offhook::cli {

/// Adds `offhook ai check URL`: calls a bot as the daemon would and says what it does well and what
/// not. The result goes to `exit_code`: 0, 1 when something failed, 2 for bad arguments.
void add_ai_command(CLI::App& app, int& exit_code);

}  // namespace offhook::cli
