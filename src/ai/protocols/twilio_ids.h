#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace offhook::ai {

/// An id that looks as Twilio's do, "CA" and 32 hex digits, and is the same for the same `seed`:
/// bots check the form, and find a call again by it.
[[nodiscard]] std::string twilio_sid(std::string_view prefix, std::string_view seed);
/// Of 128 bits the same way: "32de0dea-53cb-4b21-89a4-9e1819c043bc".
[[nodiscard]] std::string stable_uuid(std::string_view seed);

/// X-Twilio-Signature of a request without parameters: base64 of HMAC-SHA1 under the account's auth
/// token, over the whole URL as it was configured.
[[nodiscard]] base::Secret twilio_signature(const base::Secret& token, std::string_view url);

}  // namespace offhook::ai
