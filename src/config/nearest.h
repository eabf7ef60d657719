#pragma once

#include <span>
#include <string>
#include <string_view>

namespace offhook::config {

/// The name a person most likely meant, by edit distance; empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view typed,
                                       std::span<const std::string_view> names);

/// `; did you mean "x"?` or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view typed,
                                       std::span<const std::string_view> names);

}  // namespace offhook::config
