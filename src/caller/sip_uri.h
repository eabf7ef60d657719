#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offhook::caller {

/// A sip: URI (RFC 3261 §19.1.1), kept as written; the parts that routing needs are picked out.
struct SipUri {
    std::string user;        ///< as written, still %-escaped; may be empty
    std::string host;        ///< IPv6 without brackets
    std::uint16_t port = 0;  ///< 0: not given
    std::vector<std::pair<std::string, std::string>> params;  ///< names in lower case

    /// Value of a parameter ("" when it has none); empty when it is not there.
    [[nodiscard]] std::optional<std::string_view> param(std::string_view name) const;
    /// "sip:user@host:port;params".
    [[nodiscard]] std::string text() const;
};

/// Parses a URI of at most 256 bytes; the scheme `sip:` may be missing. Headers ("?…") are cut off.
/// @errors Malformed; Unsupported for other schemes (sips, tel)
[[nodiscard]] base::Result<SipUri> parse_sip_uri(std::string_view text);

/// A name-addr or addr-spec with header parameters, as in From, To, Contact, Route.
struct NameAddress {
    std::string uri;     ///< text between < and >, or what stands before the first ;
    std::string params;  ///< text after it, beginning with ';' when there is one
    /// A header parameter such as `tag`; empty when absent.
    [[nodiscard]] std::optional<std::string> param(std::string_view name) const;
};
[[nodiscard]] std::optional<NameAddress> parse_name_address(std::string_view text);

/// Splits at commas outside quotes and angle brackets; parts are trimmed, empty ones left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] bool equals_no_case(std::string_view a, std::string_view b) noexcept;

}  // namespace offhook::caller
