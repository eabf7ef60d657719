#pragma once

#include <cstdint>
#include <string_view>

namespace offhook::model {

/// What carries a call's sound: RTP or SDES-SRTP on sockets of ours, or ICE and DTLS-SRTP.
enum class LegKind : std::uint8_t { Phone, Web };

[[nodiscard]] constexpr std::string_view name_of(LegKind kind) noexcept {
    return kind == LegKind::Web ? "web" : "phone";
}

}  // namespace offhook::model
