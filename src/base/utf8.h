#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace offhook::base {

struct Utf8Char {
    std::uint32_t code_point = 0;
    std::size_t length = 0;  ///< bytes taken; 0: not valid UTF-8 at this byte
};

/// Decodes the first character of a non-empty text. RFC 3629: shortest form only, no surrogates,
/// nothing above U+10FFFF.
[[nodiscard]] Utf8Char decode_utf8(std::string_view text) noexcept;

}  // namespace offhook::base
