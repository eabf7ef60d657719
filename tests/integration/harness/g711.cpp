#include "harness/g711.h"

#include <algorithm>

namespace offhook::harness {

std::uint8_t mulaw_of(std::int16_t sample) {
    constexpr int kBias = 132;
    const bool is_negative = sample < 0;
    const int magnitude = std::min(is_negative ? -int{sample} : int{sample}, 32635) + kBias;
    int exponent = 7;
    while (exponent > 0 && (magnitude & (1 << (exponent + 7))) == 0) {
        --exponent;
    }
    const int mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    return static_cast<std::uint8_t>(~((is_negative ? 0x80 : 0) | (exponent << 4) | mantissa));
}

std::int16_t from_mulaw(std::uint8_t code) {
    const int inverted = ~code & 0xff;
    const int magnitude = ((((inverted & 0x0f) << 3) + 132) << ((inverted & 0x70) >> 4)) - 132;
    return static_cast<std::int16_t>((inverted & 0x80) != 0 ? -magnitude : magnitude);
}

std::int16_t from_alaw(std::uint8_t code) {
    const int toggled = code ^ 0x55;
    const int exponent = (toggled & 0x70) >> 4;
    int magnitude = ((toggled & 0x0f) << 4) + 8;
    if (exponent > 0) {
        magnitude = (magnitude + 256) << (exponent - 1);
    }
    return static_cast<std::int16_t>((toggled & 0x80) != 0 ? magnitude : -magnitude);
}

}  // namespace offhook::harness
