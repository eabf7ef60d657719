#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// Those of [http] that say who gets in.
[[nodiscard]] std::vector<Key<Config>> access_keys();

/// What of [http] and [[token]] does not go together: path of the key ("http.listen",
/// "token[0].scopes") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> access_problems(
    const Config& config);

}  // namespace offhook::config
