#pragma once

#include <string>
#include <string_view>

namespace offhook::http {

/// The client's Request-Id when it is 1 to 64 printable ASCII characters without quotes and
/// backslash; else a new one, "r-" and 12 hex digits.
[[nodiscard]] std::string request_id_from(std::string_view header);

}  // namespace offhook::http
