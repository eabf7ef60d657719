#include "base/escape.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "base/utf8.h"

namespace offhook::base {
namespace {

bool is_harmful(std::uint32_t c) {
    const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
    const bool bidi = (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
                      (c >= 0x2066 && c <= 0x2069) || c == 0x061C;
    const bool separator = c == 0x2028 || c == 0x2029 || c == 0xFEFF;
    return control || bidi || separator;
}

}  // namespace

std::string escape_untrusted(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view kCut = "...";
    std::string out;
    out.reserve(text.size() < max_bytes ? text.size() : max_bytes);
    while (!text.empty()) {
        const Utf8Char d = decode_utf8(text);
        std::array<char, 16> escaped{};
        std::string_view piece;
        const std::size_t taken = d.length == 0 ? 1 : d.length;
        if (d.length == 0) {
            const int n = std::snprintf(escaped.data(),
                                        escaped.size(),
                                        "\\x%02X",
                                        static_cast<unsigned>(static_cast<std::uint8_t>(text[0])));
            piece = {escaped.data(), static_cast<std::size_t>(n)};
        } else if (is_harmful(d.code_point)) {
            const int n =
                d.code_point < 0x80
                    ? std::snprintf(escaped.data(), escaped.size(), "\\x%02X", d.code_point)
                    : std::snprintf(escaped.data(), escaped.size(), "\\u{%04X}", d.code_point);
            piece = {escaped.data(), static_cast<std::size_t>(n)};
        } else if (d.code_point == '\\') {
            piece = "\\\\";
        } else {
            piece = text.substr(0, d.length);
        }
        if (out.size() + piece.size() > max_bytes) {
            out.resize(out.size() < max_bytes - kCut.size() ? out.size() : max_bytes - kCut.size());
            // Never end inside a multi-byte character.
            while (!out.empty() && (static_cast<std::uint8_t>(out.back()) & 0xC0) == 0x80)
                out.pop_back();
            if (!out.empty() && (static_cast<std::uint8_t>(out.back()) & 0x80) != 0) out.pop_back();
            out += kCut;
            return out;
        }
        out += piece;
        text.remove_prefix(taken);
    }
    return out;
}

}  // namespace offhook::base
