#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace offhook::rtp::detail {

// Network byte order. The caller has checked the length.

inline std::uint16_t load16(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline std::uint32_t load32(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    return std::uint32_t{load16(bytes, at)} << 16 | load16(bytes, at + 2);
}
inline void store16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) noexcept {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept {
    store16(bytes, at, static_cast<std::uint16_t>(value >> 16));
    store16(bytes, at + 2, static_cast<std::uint16_t>(value));
}

}  // namespace offhook::rtp::detail
