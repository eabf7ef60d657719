#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys that an `[[account]]` of kind "ringcentral" has beside the others.
[[nodiscard]] std::vector<Key<Account>> ringcentral_keys();

/// What is missing or out of place for the kind of `account`: key and sentence. Also of an account
/// of another kind that has RingCentral's keys.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> ringcentral_problems(
    const Account& account);

}  // namespace offhook::config
