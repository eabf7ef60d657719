#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sdp/web_remote.h"

namespace offhook::sdp::detail {

/// Reads the value of a=fingerprint, "sha-256 AB:CD:..." (RFC 8122 §5); empty for hashes that we do
/// not take (MD5, MD2) and for what is broken.
[[nodiscard]] std::optional<Fingerprint> parse_fingerprint(std::string_view value);

/// The same the other way round, in upper case.
[[nodiscard]] std::string text_of(const Fingerprint& fingerprint);

}  // namespace offhook::sdp::detail
