#pragma once

#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [store] and [recording].
[[nodiscard]] std::vector<Key<Config>> store_keys();

}  // namespace offhook::config
