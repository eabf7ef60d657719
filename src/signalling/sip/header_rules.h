#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offhook::signalling::sip {

// What others may put into messages of ours: nothing that ends a line or takes over the dialog.

/// @errors InvalidArgument: a name that is no token or belongs to the stack (Via, From, CSeq,
/// Contact, Content-Type ...), a value with a control character, more than 32 headers or 4 KiB
[[nodiscard]] base::Result<void> check_headers(
    const std::vector<std::pair<std::string, std::string>>& headers);

/// A SIP, SIPS or TEL URI that can stand in a request line. A user part or number alone becomes
/// `sip:<user>@<domain>`.
/// @errors InvalidArgument: it has spaces, quotes, brackets or control characters, or is no URI
[[nodiscard]] base::Result<std::string> target_uri(std::string_view to, std::string_view domain);

/// A name-addr (`"Name" <sip:...>`) or URI reduced to its URI, checked likewise.
[[nodiscard]] base::Result<std::string> checked_uri(std::string_view uri);

}  // namespace offhook::signalling::sip
