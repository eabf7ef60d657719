#pragma once

namespace CLI {
class App;
}

namespace offhook::caller {

/// Adds `call` to the program's command line. When it is chosen, CLI11 runs it from `app.parse`,
/// and `exit_code` becomes one of the kExit* codes of report.h.
/// @param exit_code outlives `app`
void add_call_command(CLI::App& app, int& exit_code);

}  // namespace offhook::caller
