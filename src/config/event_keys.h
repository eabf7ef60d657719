#pragma once

#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [events].
[[nodiscard]] std::vector<Key<Config>> event_keys();

}  // namespace offhook::config
