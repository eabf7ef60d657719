#pragma once

#include <CLI/CLI.hpp>

namespace offhook::cli {

/// Adds `offhook pipeline check FILE...` and `offhook pipeline list`. The result goes to
/// `exit_code`: 0, 1 with one sentence for each bad file on standard error, or 78 (EX_CONFIG) when
/// the configuration itself is bad. Initialises GStreamer and registers our elements when one of
/// them runs.
void add_pipeline_command(CLI::App& app, int& exit_code);

}  // namespace offhook::cli
