#pragma once

#include <optional>
#include <string_view>

#include "sdp/web_remote.h"

namespace offhook::sdp::detail {

/// The value of a=setup; empty for holdconn and what is unknown.
[[nodiscard]] std::optional<Setup> parse_setup(std::string_view value) noexcept;
[[nodiscard]] std::string_view name_of(Setup setup) noexcept;

}  // namespace offhook::sdp::detail
