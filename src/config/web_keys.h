#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [web].
[[nodiscard]] std::vector<Key<Config>> web_keys();

/// What of [web], its servers and what needs them does not go together: path of the key
/// ("web.relay_only", "web.ice_server[0].username") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> web_problems(const Config& config);

}  // namespace offhook::config
