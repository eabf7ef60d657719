#pragma once

#include <string>
#include <string_view>

namespace offhook::cli {

/// One event as a line with its end, escaped: time, level, type, call, message, and its fields.
/// @param type  of the server-sent event; for what is no event of ours @param data  JSON, or
/// anything: then it is shown as it is
[[nodiscard]] std::string tail_line(std::string_view type, std::string_view data, bool has_colors);

}  // namespace offhook::cli
