#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::cli {

/// Lines with their ends, escaped.
/// @param body  of `GET /api/v1/connections`
/// @errors Malformed
[[nodiscard]] base::Result<std::string> connections_table(std::string_view body);

/// @param body  of `POST /api/debug/cleanup-connections`
/// @errors Malformed
[[nodiscard]] base::Result<std::string> cleanup_text(std::string_view body);

}  // namespace offhook::cli
