#include "model/sdp_crypto.h"

#include <string.h>
#include <strings.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <span>

namespace offhook::model {
namespace {

constexpr std::uint32_t kMaxTag = 999'999'999;
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Takes the text up to the next run of spaces off the front.
std::string_view take(std::string_view& rest) {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    const std::string_view token = rest.substr(0, rest.find(' '));
    rest.remove_prefix(token.size());
    return token;
}

bool starts_with_no_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
    return number;
}

/// Key and salt; the padding that some peers leave away is not asked for.
std::optional<SrtpKey> decode_key(std::string_view text, std::size_t bytes) {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    if (text.size() != (bytes * 8 + 5) / 6) return std::nullopt;
    std::array<std::uint8_t, SrtpKey::kMaxBytes> decoded{};
    std::uint32_t bits = 0;
    int held = 0;
    std::size_t written = 0;
    for (const char c : text) {
        const auto value = kBase64.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8 && written < bytes) {
            held -= 8;
            decoded[written++] = static_cast<std::uint8_t>(bits >> held);
        }
    }
    SrtpKey key{std::span<const std::uint8_t>(decoded.data(), written)};
    explicit_bzero(decoded.data(), decoded.size());
    return written == bytes ? std::optional(key) : std::nullopt;
}

/// "inline:KEY|2^20": one key, without an MKI (RFC 4568 §6.1).
std::optional<SrtpKey> read_key(std::string_view text, std::size_t bytes) {
    constexpr std::string_view kInline = "inline:";
    if (!starts_with_no_case(text, kInline) || text.find(';') != std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(kInline.size());
    const auto bar = text.find('|');
    if (bar != std::string_view::npos) {
        std::string_view lifetime = text.substr(bar + 1);
        if (lifetime.substr(0, 2) == "2^") lifetime.remove_prefix(2);
        // "1:4" is an MKI, and so is a second part.
        if (!whole_number<std::uint64_t>(lifetime)) return std::nullopt;
    }
    return decode_key(text.substr(0, bar), bytes);
}

}  // namespace

std::optional<SdpCrypto> parse_crypto(std::string_view value) {
    const auto tag = whole_number<std::uint32_t>(take(value));
    const auto suite = srtp_suite_named(take(value));
    if (!tag || *tag == 0 || *tag > kMaxTag || !suite) return std::nullopt;
    const auto key = read_key(take(value), facts_of(*suite).keying_bytes());
    if (!key) return std::nullopt;
    for (std::string_view parameter = take(value); !parameter.empty(); parameter = take(value)) {
        if (parameter.front() != '-' && !starts_with_no_case(parameter, "WSH="))
            return std::nullopt;
    }
    return SdpCrypto{*tag, *suite, *key};
}

std::string write_crypto(const SdpCrypto& crypto) {
    std::string text =
        std::to_string(crypto.tag) + ' ' + std::string(facts_of(crypto.suite).name) + " inline:";
    const auto bytes = crypto.key.bytes();
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (i + j < bytes.size() ? bytes[i + j] : 0U);
        for (std::size_t j = 0; j < 4; ++j) {
            const bool is_padding = i + j > bytes.size();
            text += is_padding ? '=' : kBase64[group >> (18 - 6 * j) & 0x3F];
        }
    }
    return text;
}

}  // namespace offhook::model
