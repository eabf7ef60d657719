#pragma once

#include <string>
#include <string_view>

namespace offhook::trace {

/// A SIP message that may be kept and shown: what would let its reader speak as somebody else, or
/// decrypt what was said, is gone.
///
/// - Values of headers that carry credentials: any whose name has `auth`, `token`, `secret`,
///   `password`, `api-key` or `cookie` in it; the scheme stays ("Digest (removed)").
/// - Passwords in SIP URIs (RFC 3261 §19.1.1).
/// - SDP: keys of `a=crypto` (RFC 4568), `a=key-mgmt` (RFC 4567), `k=`, `a=ice-pwd` (RFC 8839).
/// - `Bearer` and what follows it, and the value of anything called token, secret, password or api
///   key in parameters and bodies, as text, XML or JSON.
///
/// What is taken out of bodies becomes as many `x`, so that Content-Length stays true.
/// @param message  untrusted; any bytes
[[nodiscard]] std::string without_secrets(std::string_view message);

}  // namespace offhook::trace
