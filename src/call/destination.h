#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::call {

/// Where a call of ours may go, in the one spelling that allow-lists are compared with: a number or
/// name of the account's own domain stands alone ("+4930123456"), everything else is
/// "sip:user@host[:port]" with the host in lower case.
///
/// Taken: [0-9A-Za-z+*#._-]{1,64}, and sip or sips URIs of such a user at a host, without headers.
/// URI parameters are dropped. Empty for everything else, spaces and visual separators included.
[[nodiscard]] std::optional<std::string> normal_destination(std::string_view to,
                                                            std::string_view domain);

/// Whether one of the globs matches the whole of it. None match: an empty list allows nothing.
[[nodiscard]] bool is_destination_allowed(std::string_view normal,
                                          const std::vector<std::string>& globs);

}  // namespace offhook::call
