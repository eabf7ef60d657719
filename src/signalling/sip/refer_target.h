#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "signalling/sip/dialog.h"

namespace offhook::signalling::sip {

// REFER's Refer-To (RFC 3515 §2.1) and Replaces (RFC 3891 §6.1), as text.

struct ReferTarget {
    std::string uri;       ///< without headers
    std::string replaces;  ///< the Replaces header in it, unescaped; may be empty
};
/// From a Refer-To value, with or without name and brackets. Empty when it names no URI.
[[nodiscard]] std::optional<ReferTarget> parse_refer_to(std::string_view value);

/// `<uri?Replaces=...>` with the value escaped.
[[nodiscard]] std::string refer_to_value(const std::string& uri, const std::string& replaces);

/// Which dialog an INVITE replaces, as its receiver finds it.
struct Replaces {
    std::string call_id;
    std::string local_tag;   ///< to-tag
    std::string remote_tag;  ///< from-tag
    bool is_early_only = false;
};
/// Empty when a part is missing.
[[nodiscard]] std::optional<Replaces> parse_replaces(std::string_view value);
/// The value that means `dialog` to its other side.
[[nodiscard]] std::string replaces_value(const Dialog& dialog);

}  // namespace offhook::signalling::sip
