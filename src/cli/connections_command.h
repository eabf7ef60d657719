#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace CLI {
class App;
}

namespace offhook::cli {

/// Adds `offhook connections`: the daemon's WebSockets as a table, once; `--ended` those that were,
/// `--cleanup` ends the ones that nothing is heard of. The result goes to `exit_code`: 0, 2 usage, 69
/// when the daemon is not there or refuses.
/// @param exit_code outlives `app`
void add_connections_command(CLI::App& app, int& exit_code);

/// Lines with their ends, escaped.
/// @param body  of `GET /api/v1/connections`
/// @errors Malformed
[[nodiscard]] base::Result<std::string> connections_table(std::string_view body);

/// @param body  of `POST /api/debug/cleanup-connections`
/// @errors Malformed
[[nodiscard]] base::Result<std::string> cleanup_text(std::string_view body);

}  // namespace offhook::cli
