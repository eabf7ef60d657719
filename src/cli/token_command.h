#pragma once

#include <string>
#include <vector>

#include "base/secret.h"

namespace CLI {
class App;
}

namespace offhook::cli {

/// Adds `offhook token new` and `offhook token join`. The result goes to `exit_code`: 0, 1 the daemon
/// refuses, 2 usage, 69 when it is not there.
/// @param exit_code outlives `app`
void add_token_command(CLI::App& app, int& exit_code);

/// "oht1." and 43 characters: 256 bits that nobody can guess.
[[nodiscard]] base::Secret new_token();
/// The [[token]] that lets it in, as text of a configuration.
[[nodiscard]] std::string token_table(const base::Secret& token,
                                      const std::string& name,
                                      const std::string& user,
                                      const std::vector<std::string>& scopes);

}  // namespace offhook::cli
