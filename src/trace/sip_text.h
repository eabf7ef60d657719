#pragma once

#include <string>
#include <string_view>

namespace offhook::trace {

/// The value of the Call-ID header, escaped as in `model::CallInfo::sip_call_id`; empty: none.
[[nodiscard]] std::string call_id_of(std::string_view message);
/// "INVITE" of a request, "INVITE" of the CSeq of a response; empty: neither.
[[nodiscard]] std::string_view method_of(std::string_view message);

}  // namespace offhook::trace
