#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// Those of [demo].
[[nodiscard]] std::vector<Key<Config>> demo_keys();

/// What of [demo] does not go together with the rest: path of the key ("demo.enabled") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> demo_problems(const Config& config);

}  // namespace offhook::config
