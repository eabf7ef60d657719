#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/value.h"

namespace offhook::config {

/// What a TOML text says, in our words: nothing but toml_reader.cpp sees the library.
struct TomlEntry {
    std::string key;
    std::optional<Value>
        value;         ///< empty: of a type that no key has (table, date, mixed list); see `type`
    std::string type;  ///< what it is, for the error
    int line = 0;
};
struct TomlTable {
    std::string section;  ///< empty: keys before the first table; "web.ice_server": a list in [web]
    bool is_array_element = false;
    int line = 0;
    std::vector<TomlEntry> entries;
};

/// @param name the file's name, for errors
/// @errors Malformed, "name:line:column: what the parser expected"
[[nodiscard]] base::Result<std::vector<TomlTable>> read_toml(std::string_view text,
                                                             std::string_view name);

/// One value: `5060`, `"text"`, `["a", "b"]`.
/// @errors Malformed; when it looks like a bare word, with the hint to quote it
[[nodiscard]] base::Result<Value> read_toml_value(std::string_view text);

}  // namespace offhook::config
