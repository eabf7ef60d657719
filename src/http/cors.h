#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::http {

/// The headers that let a page of `origin` see the answer (Fetch standard, "CORS protocol"): what
/// WHIP and WHEP clients have to read is exposed, credentials of the browser are not asked for.
/// @param origin   Origin header; has been found on the list
/// @param methods  "POST, OPTIONS": what the path has
[[nodiscard]] std::vector<std::pair<std::string, std::string>> cors_headers(
    std::string_view origin, std::string_view methods, bool is_preflight);

/// Whether `origin` is one of `list`: same scheme, name and port, without case.
[[nodiscard]] bool is_listed_origin(const std::vector<std::string>& list, std::string_view origin);

}  // namespace offhook::http
