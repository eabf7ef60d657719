#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace CLI {
class App;
}

namespace offhook::cli {

/// Adds `offhook accounts`: the daemon's accounts as a table, once. The result goes to `exit_code`:
/// 0 all registered, 1 some are not, 2 usage, 69 when the daemon is not there.
/// @param exit_code outlives `app`
void add_accounts_command(CLI::App& app, int& exit_code);

/// What the table shows.
struct AccountsTable {
    std::string text;  ///< lines with their ends, escaped
    bool is_all_well = true;
};
/// @param body  of `GET /api/v1/accounts`
/// @errors Malformed
[[nodiscard]] base::Result<AccountsTable> accounts_table(std::string_view body);

}  // namespace offhook::cli
