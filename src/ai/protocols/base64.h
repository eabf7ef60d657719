#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::ai {

/// Characters that `bytes` become, padding included (RFC 4648 §4).
[[nodiscard]] constexpr std::size_t base64_length(std::size_t bytes) noexcept {
    return (bytes + 2) / 3 * 4;
}

/// Appends `bytes` with padding; about 0.3 ns a byte.
void append_base64(std::span<const std::byte> bytes, std::string& out);

/// Replaces `out` by what `text` says. White space is left out, padding may be missing; `-` and `_`
/// (RFC 4648 §5) are taken as well, for there are bots that write them.
/// @return false: another character, something after padding, or a lone character at the end;
/// `out` is empty then
[[nodiscard]] bool decode_base64(std::string_view text, std::vector<std::byte>& out);

}  // namespace offhook::ai
