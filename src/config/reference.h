#pragma once

#include <string>

#include "config/load.h"

namespace offhook::config {

/// The configuration in force as a TOML text that reads back to the same; `with_origin` says in a
/// comment where each value was said.
[[nodiscard]] std::string show(const Loaded& loaded, bool with_origin);

/// docs/configuration.md, made of the table of keys.
[[nodiscard]] std::string reference_markdown();

}  // namespace offhook::config
