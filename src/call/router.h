#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"

namespace offhook::call {

/// Shell-style match: `*` any run, `?` one character, everything else itself. Linear in the text
/// for any pattern.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

/// The first route whose `to`, `from` and `account` match; nullptr when none does (404).
/// @param account  the call came on; empty: a listener
[[nodiscard]] const config::Route* find_route(const std::vector<config::Route>& routes,
                                              std::string_view to_user,
                                              std::string_view from_user,
                                              std::string_view account = {}) noexcept;

/// The route of that name; nullptr when there is none.
[[nodiscard]] const config::Route* route_named(const std::vector<config::Route>& routes,
                                               std::string_view name) noexcept;

}  // namespace offhook::call
