#pragma once

#include <CLI/CLI.hpp>

namespace offhook::cli {

/// Adds `offhook config check|show|reference`. The result goes to `exit_code`: 0, or 78 (EX_CONFIG)
/// with every problem on standard error.
void add_config_command(CLI::App& app, int& exit_code);

}  // namespace offhook::cli
