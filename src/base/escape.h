#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace offhook::base {

/// Makes a string from the network safe to print: C0/C1 controls, DEL, bidi overrides, line and
/// paragraph separators and invalid UTF-8 become `\xNN` or `\u{NNNN}`; backslash becomes `\\`; at
/// most `max_bytes` of output, cut with "...". For logs, terminals and API bodies alike.
/// @thread any
[[nodiscard]] std::string escape_untrusted(std::string_view text, std::size_t max_bytes = 256);

}  // namespace offhook::base
