#pragma once

#include <string_view>

namespace offhook::sdp::detail {

/// Whether these are ICE credentials as RFC 8839 §5.4 bounds them. Characters beyond its ice-char
/// that peers do write ("-", "_", "=", ".") are let by; ":" and blanks would change what a STUN
/// user name means.
[[nodiscard]] bool are_credentials(std::string_view ufrag, std::string_view pwd) noexcept;

}  // namespace offhook::sdp::detail
