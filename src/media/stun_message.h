#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "session/endpoint.h"

namespace offhook::media {

/// RFC 8489 §5: 96 random bits that tie an answer to its request.
using StunTransaction = std::array<std::uint8_t, 12>;

inline constexpr std::size_t kStunHeaderBytes = 20;

/// A Binding request without attributes.
[[nodiscard]] std::array<std::uint8_t, kStunHeaderBytes> stun_binding_request(
    const StunTransaction& transaction);

/// What a server made of it.
struct StunAnswer {
    session::Endpoint mapped;  ///< XOR-MAPPED-ADDRESS; set exactly when `error_code` is 0
    int error_code = 0;        ///< 300-699 of an error response; 1: a success without a usable
        ///< address, or with attributes that one must understand and we do not
};

/// Reads a datagram, every length checked. Empty: not STUN, not a response to `transaction`, or
/// broken; wait on.
/// RFC 8489 §6.3, §14.2
[[nodiscard]] std::optional<StunAnswer> parse_stun_answer(std::span<const std::uint8_t> datagram,
                                                          const StunTransaction& transaction);

}  // namespace offhook::media
