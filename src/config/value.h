#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace offhook::config {

/// A value as written, before anybody asked whether it fits its key.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// As TOML would write it, control characters escaped: `"text"`, `["a", "b"]`, `20`.
[[nodiscard]] std::string text_of(const Value& value);
/// "true or false", "whole number", "number", "string", "list of strings".
[[nodiscard]] std::string_view type_of(const Value& value);
/// "a string", but "true or false".
[[nodiscard]] std::string with_article(std::string_view type);

}  // namespace offhook::config
