#include "sdp/detail/fingerprint.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "sdp/detail/text.h"

namespace offhook::sdp::detail {
namespace {

struct HashFacts {
    Fingerprint::Hash hash;
    std::string_view name;
    std::size_t bytes;
};
constexpr std::array<HashFacts, 5> kHashes{{{Fingerprint::Hash::Sha1, "sha-1", 20},
                                            {Fingerprint::Hash::Sha224, "sha-224", 28},
                                            {Fingerprint::Hash::Sha256, "sha-256", 32},
                                            {Fingerprint::Hash::Sha384, "sha-384", 48},
                                            {Fingerprint::Hash::Sha512, "sha-512", 64}}};

}  // namespace

std::optional<Fingerprint> parse_fingerprint(std::string_view value) {
    const std::string_view name = take(value);
    const std::string_view hex = take(value);
    for (const HashFacts& facts : kHashes) {
        if (!same(facts.name, name)) continue;
        if (hex.size() != facts.bytes * 3 - 1) return std::nullopt;
        Fingerprint fingerprint{facts.hash, {}};
        for (std::size_t at = 0; at < hex.size(); at += 3) {
            const char* const start = hex.data() + at;
            std::uint8_t byte = 0;
            const auto [stop, error] = std::from_chars(start, start + 2, byte, 16);
            if (error != std::errc{} || stop != start + 2) return std::nullopt;
            if (at + 2 < hex.size() && hex[at + 2] != ':') return std::nullopt;
            fingerprint.bytes.push_back(byte);
        }
        return fingerprint;
    }
    return std::nullopt;
}

std::string text_of(const Fingerprint& fingerprint) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string text(kHashes[static_cast<std::size_t>(fingerprint.hash)].name);
    char separator = ' ';
    for (const std::uint8_t byte : fingerprint.bytes) {
        text += separator;
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0x0f];
        separator = ':';
    }
    return text;
}

}  // namespace offhook::sdp::detail
