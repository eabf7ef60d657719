#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [connections] and [redis].
[[nodiscard]] std::vector<Key<Config>> connection_keys();

/// What of [redis] does not go together: path of the key ("redis.ca_file") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> redis_problems(const Config& config);

}  // namespace offhook::config
