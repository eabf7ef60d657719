#pragma once

#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [alarm].
[[nodiscard]] std::vector<Key<Config>> alarm_keys();

}  // namespace offhook::config
