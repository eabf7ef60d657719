#include "ai/protocols/base64.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace offhook::ai {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two characters for each 12 bits: half the look-ups of one at a time.
constexpr auto kPairs = [] {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
    return pairs;
}();

// What is no character of the alphabet has the top byte set, so that one test does for four.
constexpr std::uint32_t kForeign = 0xFF000000;
constexpr std::uint32_t kSpace = 0xFE000000;
constexpr std::uint32_t kPadding = 0xFD000000;

constexpr auto kValues = [] {
    std::array<std::uint32_t, 256> values{};
    values.fill(kForeign);
    for (std::uint32_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = i;
    values['-'] = 62;
    values['_'] = 63;
    values['='] = kPadding;
    for (const char c : {' ', '\t', '\r', '\n'}) values[static_cast<unsigned char>(c)] = kSpace;
    return values;
}();

std::uint32_t value_of(char c) noexcept {
    return kValues[static_cast<unsigned char>(c)];
}

/// What is not plain groups of four: white space, padding, the end. Goes on in `out` from `size`.
/// @return bytes in all; nothing readable: -1
std::ptrdiff_t decode_rest(std::string_view text, std::byte* out, std::size_t size) noexcept {
    std::uint32_t bits = 0;
    int have = 0;  // characters of the group that is under way
    int padding = 0;
    for (const char c : text) {
        const std::uint32_t value = value_of(c);
        if (value == kSpace) continue;
        if (value == kPadding) {
            if (++padding > 2) return -1;
            continue;
        }
        if (value == kForeign || padding != 0) return -1;
        bits = bits << 6 | value;
        if (++have < 4) continue;
        for (const int shift : {16, 8, 0}) out[size++] = static_cast<std::byte>(bits >> shift);
        bits = 0;
        have = 0;
    }
    if (have == 1 || (padding != 0 && have + padding != 4)) return -1;
    if (have >= 2) out[size++] = static_cast<std::byte>(bits >> (have == 2 ? 4 : 10));
    if (have == 3) out[size++] = static_cast<std::byte>(bits >> 2);
    return static_cast<std::ptrdiff_t>(size);
}

}  // namespace

void append_base64(std::span<const std::byte> bytes, std::string& out) {
    const std::size_t start = out.size();
    out.resize(start + base64_length(bytes.size()));
    char* to = out.data() + start;
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3, to += 4) {
        const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        std::memcpy(to, kPairs[bits >> 12].data(), 2);
        std::memcpy(to + 2, kPairs[bits & 0xFFF].data(), 2);
    }
    if (i == bytes.size()) return;
    const bool has_two = i + 2 == bytes.size();
    const std::uint32_t bits = byte(i) << 16 | (has_two ? byte(i + 1) << 8 : 0);
    std::memcpy(to, kPairs[bits >> 12].data(), 2);
    to[2] = has_two ? kAlphabet[bits >> 6 & 63] : '=';
    to[3] = '=';
}

bool decode_base64(std::string_view text, std::vector<std::byte>& out) {
    out.resize(text.size() / 4 * 3 + 3);
    std::size_t size = 0;
    std::size_t i = 0;
    for (; i + 4 <= text.size(); i += 4) {
        const std::uint32_t bits = value_of(text[i]) << 18 | value_of(text[i + 1]) << 12 |
                                   value_of(text[i + 2]) << 6 | value_of(text[i + 3]);
        const std::uint32_t foreign = value_of(text[i]) | value_of(text[i + 1]) |
                                      value_of(text[i + 2]) | value_of(text[i + 3]);
        if ((foreign & 0xFF000000) != 0) break;
        out[size++] = static_cast<std::byte>(bits >> 16);
        out[size++] = static_cast<std::byte>(bits >> 8);
        out[size++] = static_cast<std::byte>(bits);
    }
    const std::ptrdiff_t all = decode_rest(text.substr(i), out.data(), size);
    out.resize(all < 0 ? 0 : static_cast<std::size_t>(all));
    return all >= 0;
}

}  // namespace offhook::ai
