#pragma once

#include <string>

/// Checks of single values. Each returns what is wrong in words, empty when nothing is.
namespace offhook::config::check {

[[nodiscard]] std::string host_port(const std::string& text);
[[nodiscard]] std::string sip_listen(const std::string& text);
[[nodiscard]] std::string cidr(const std::string& text);
[[nodiscard]] std::string address(const std::string& text);
[[nodiscard]] std::string server_or_empty(const std::string& text);
[[nodiscard]] std::string address_or_empty(const std::string& text);
/// 1-64 of a-z A-Z 0-9 . _ -
[[nodiscard]] std::string name(const std::string& text);
[[nodiscard]] std::string name_or_empty(const std::string& text);
/// Printable, at most 128 bytes, at most 8 stars.
[[nodiscard]] std::string glob(const std::string& text);
/// silence, comfort-noise, tone, file:PATH of a file that can be read, or empty
[[nodiscard]] std::string fill(const std::string& text);
/// No control characters, at most 4096 bytes.
[[nodiscard]] std::string path_or_empty(const std::string& text);
/// 1-128 printable characters without blanks and what ends a SIP user: " @ < > ; : ,
[[nodiscard]] std::string sip_user(const std::string& text);
[[nodiscard]] std::string sip_user_or_empty(const std::string& text);
/// At most 128 bytes without control characters.
[[nodiscard]] std::string display_name(const std::string& text);
/// A host name or a numeric address, without a port.
[[nodiscard]] std::string host_or_empty(const std::string& text);
/// The same, perhaps with a port; IPv6 with a port in brackets.
[[nodiscard]] std::string host_and_port_or_empty(const std::string& text);
[[nodiscard]] std::string environment_name_or_empty(const std::string& text);
/// Path of a URL: begins with /, at most 256 printable characters without blanks.
[[nodiscard]] std::string url_path(const std::string& text);
/// `https://host` or `https://host:port`, nothing behind it.
[[nodiscard]] std::string server_url(const std::string& text);
/// `https://host` or `http://host`, perhaps with a port: what browsers write into Origin.
[[nodiscard]] std::string origin(const std::string& text);
/// Up to 256 printable characters without blanks.
[[nodiscard]] std::string word_or_empty(const std::string& text);
/// Up to 32 digits.
[[nodiscard]] std::string digits_or_empty(const std::string& text);
/// stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp], turns:HOST[:PORT][?transport=tcp]
/// (RFC 7064, RFC 7065).
[[nodiscard]] std::string ice_url(const std::string& text);
/// ws://, wss:// or tcp://, as `parse_bot_url`
[[nodiscard]] std::string bot_url_or_empty(const std::string& text);
/// http://HOST:PORT of a proxy
[[nodiscard]] std::string proxy_or_empty(const std::string& text);
/// One of what a bot may have done: hang-up, transfer, dtmf, prompt, hold.
[[nodiscard]] std::string verb(const std::string& text);
/// ai:NAME, prompt:NAME, transfer:TARGET or hang-up
[[nodiscard]] std::string fallback(const std::string& text);
/// Name of an HTTP header (RFC 9110 §5.1) that is not the WebSocket handshake's own.
[[nodiscard]] std::string header_name(const std::string& text);
/// Empty, or a file that can be read.
[[nodiscard]] std::string readable_file(const std::string& text);
/// At most 500 bytes without control characters; ${...} only of what a call has.
[[nodiscard]] std::string parameter(const std::string& text);
/// At most 500 printable ASCII characters.
[[nodiscard]] std::string line(const std::string& text);

}  // namespace offhook::config::check
