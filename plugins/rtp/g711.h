#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace offhook::rtp {

/// The 16-bit sample of each of the 256 codes.
using G711Table = std::array<std::int16_t, 256>;

/// The logarithm of both laws is the head of a float: exponent and four bits of mantissa, side by
/// side at bit 19. Plain arithmetic without branches or tables, so the compiler can do several
/// samples at once.
[[nodiscard]] inline std::int32_t g711_log_head(std::int32_t magnitude) noexcept {
    return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(static_cast<float>(magnitude)) >>
                                     19);
}

/// ITU-T G.711 mu-law: one sample, one byte. What a code says is encoded to the same code again,
/// but for minus zero (0x7F), which becomes zero (0xFF).
struct Ulaw {
    static constexpr std::int32_t kBias = 132;
    static constexpr std::int32_t kClip = 32635;

    static std::uint8_t encode(std::int16_t sample) noexcept {
        const std::int32_t sign = sample >> 15;  // 0 or -1
        const std::int32_t magnitude = std::min((sample ^ sign) - sign, kClip) + kBias;
        const std::int32_t code = g711_log_head(magnitude) - ((127 + 7) << 4);
        return static_cast<std::uint8_t>(~(code | (sign & 0x80)));
    }

    static constexpr G711Table make_table() {
        G711Table table{};
        for (unsigned code = 0; code < 256; ++code) {
            const unsigned bits = ~code & 0xFFU;
            const auto magnitude = static_cast<std::int32_t>(((bits & 0x0F) << 3) + kBias)
                                   << ((bits >> 4) & 7);
            table[code] = static_cast<std::int16_t>((bits & 0x80) != 0 ? kBias - magnitude
                                                                       : magnitude - kBias);
        }
        return table;
    }
};

/// ITU-T G.711 A-law: one sample, one byte; lossless from code to code.
struct Alaw {
    static std::uint8_t encode(std::int16_t sample) noexcept {
        const std::int32_t sign = sample >> 15;
        const std::int32_t magnitude =
            (sample ^ sign) >> 4;  // one's complement, 11 bits (G.711 table 1a)
        // The two lowest segments are linear; there the magnitude is the code, and above the log is
        // the larger.
        const std::int32_t code =
            std::max(g711_log_head(magnitude) - ((127 + 3) << 4), std::min(magnitude, 16));
        return static_cast<std::uint8_t>((code | (~sign & 0x80)) ^ 0x55);
    }

    static constexpr G711Table make_table() {
        G711Table table{};
        for (unsigned code = 0; code < 256; ++code) {
            const unsigned bits = code ^ 0x55U;
            const unsigned segment = (bits >> 4) & 7;
            auto magnitude = static_cast<std::int32_t>(((bits & 0x0F) << 4) + 8);
            if (segment != 0) magnitude = (magnitude + 256) << (segment - 1);
            table[code] = static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
        }
        return table;
    }
};

template <class Law>
inline constexpr G711Table kG711Table = Law::make_table();

}  // namespace offhook::rtp
