#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace offhook::config {

struct EffectiveKey {
    std::string name;
    std::string value;  ///< as TOML writes it
    Origin origin;
    std::string_view description;  ///< a sentence
};
struct EffectiveTable {
    std::string section;     ///< "http", "ai", "ai.header"
    std::string label;       ///< "http", "ai[0]", "ai[0].header[1]"
    bool is_listed = false;  ///< one of a list: [[section]]
    std::vector<EffectiveKey> keys{};
};
/// Every value in force, in the order of docs/configuration.md. There is no secret in it: the
/// configuration knows their files only.
[[nodiscard]] std::vector<EffectiveTable> effective(const Loaded& loaded);

/// The configuration in force as a TOML text that reads back to the same; `with_origin` says in a
/// comment where each value was said.
[[nodiscard]] std::string show(const Loaded& loaded, bool with_origin);

/// docs/configuration.md, made of the table of keys.
[[nodiscard]] std::string reference_markdown();

}  // namespace offhook::config
