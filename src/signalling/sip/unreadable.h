#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace offhook::signalling::sip {

/// The answer to a request that cannot be parsed: 501 for a method nobody knows, 416 for a
/// Request-URI of a foreign scheme (RFC 3261 §8.2.1, §8.2.2.1), else 400. Via, From, To, Call-ID and CSeq are copied as they
/// came, so that the sender knows what was refused instead of repeating it for 32 s.
///
/// Empty for anything that must not be answered: responses, ACK, text without a SIP start line, a
/// request without one of the five headers, or one longer than `kMaxMessageBytes`. The answer is
/// never longer than the request and 128 bytes.
/// @param server  value of the Server header
[[nodiscard]] std::optional<std::string> answer_unreadable(std::string_view bytes,
                                                           std::string_view server);

}  // namespace offhook::signalling::sip
