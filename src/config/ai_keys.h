#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [ai_listen].
[[nodiscard]] std::vector<Key<Config>> ai_listen_keys();

/// What of the `[[ai]]`, `[[prompt]]`, [ai_listen] and what routes want of them does not go together:
/// path of the key ("ai[0].url") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> ai_problems(const Config& config);

}  // namespace offhook::config
