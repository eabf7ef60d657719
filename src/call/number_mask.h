#pragma once

#include <string>
#include <string_view>

namespace offhook::call {

/// Hides phone numbers for logs at info and above: of a run of seven or more digits only the last
/// three stay
/// ("sip:+15551234567@pbx" -> "sip:+***567@pbx").
[[nodiscard]] std::string mask_numbers(std::string_view text);

}  // namespace offhook::call
