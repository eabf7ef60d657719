#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::ai {

/// `url` with `parameters` added to its query, percent-encoded (RFC 3986 §2.3).
[[nodiscard]] std::string with_query(
    std::string_view url, const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace offhook::ai
