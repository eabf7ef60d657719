#pragma once

namespace CLI {
class App;
}

namespace offhook::cli {

/// Adds the clients of the daemon's API (`api_verbs`) and `offhook completion`, which is made of all
/// that `app` has when it runs. A verb's result goes to `exit_code`.
/// @param exit_code outlives `app`
void add_api_commands(CLI::App& app, int& exit_code);

}  // namespace offhook::cli
