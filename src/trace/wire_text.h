#pragma once

#include <string>
#include <string_view>

#include "model/leg_trace.h"

namespace offhook::trace {

/// "192.0.2.1:5060", "[2001:db8::1]:5060"; port 0 when it is neither.
[[nodiscard]] model::WireAddress wire_address(std::string_view text);
/// Empty without a port.
[[nodiscard]] std::string text_of(const model::WireAddress& address);

}  // namespace offhook::trace
