#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace offhook::access {

/// SHA-256 (FIPS 180-4) of a text, as 32 bytes.
[[nodiscard]] std::string sha256(std::string_view text);
/// HMAC-SHA256 (RFC 2104), as 32 bytes.
[[nodiscard]] std::string hmac_sha256(const base::Secret& key, std::string_view text);
/// Whether they are the same, in a time that depends on the length alone.
[[nodiscard]] bool is_same(std::string_view a, std::string_view b);
/// 32 bytes that nobody can guess.
[[nodiscard]] base::Secret random_key();

/// Lower-case hex digits, two a byte.
[[nodiscard]] std::string hex(std::string_view bytes);
/// Base64url without padding (RFC 4648 §5).
[[nodiscard]] std::string base64url(std::string_view bytes);
/// Empty: not the one text that `base64url` writes for some bytes.
[[nodiscard]] std::string from_base64url(std::string_view text);

}  // namespace offhook::access
