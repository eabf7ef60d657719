#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/srtp.h"

namespace offhook::srtp {

using Bytes = std::vector<std::uint8_t>;

/// "80 41 ff" or "8041ff".
inline Bytes hex(std::string_view text) {
    Bytes bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
            high = -1;
        }
    }
    return bytes;
}

/// A key of the right length whose bytes depend on `seed`.
inline model::SrtpKey key_of(model::SrtpSuite suite, std::uint8_t seed = 1) {
    Bytes bytes(model::facts_of(suite).keying_bytes());
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(seed + i * 3);
    return model::SrtpKey(bytes);
}

/// 160 bytes of PCMU under the given numbers.
inline Bytes rtp_packet(std::uint32_t ssrc, std::uint16_t sequence) {
    Bytes packet(172, static_cast<std::uint8_t>(sequence * 7));
    const Bytes header = {0x80,
                          0x00,
                          static_cast<std::uint8_t>(sequence >> 8),
                          static_cast<std::uint8_t>(sequence),
                          0,
                          0,
                          0,
                          1,
                          static_cast<std::uint8_t>(ssrc >> 24),
                          static_cast<std::uint8_t>(ssrc >> 16),
                          static_cast<std::uint8_t>(ssrc >> 8),
                          static_cast<std::uint8_t>(ssrc)};
    std::copy(header.begin(), header.end(), packet.begin());
    return packet;
}

/// A receiver report without blocks, and some more.
inline Bytes rtcp_packet(std::uint32_t ssrc) {
    Bytes packet(36, 0x5A);
    const Bytes header = {0x80,
                          201,
                          0,
                          8,
                          static_cast<std::uint8_t>(ssrc >> 24),
                          static_cast<std::uint8_t>(ssrc >> 16),
                          static_cast<std::uint8_t>(ssrc >> 8),
                          static_cast<std::uint8_t>(ssrc)};
    std::copy(header.begin(), header.end(), packet.begin());
    return packet;
}

}  // namespace offhook::srtp
