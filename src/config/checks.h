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
[[nodiscard]] std::string empty_for_now(const std::string& text);

}  // namespace offhook::config::check
