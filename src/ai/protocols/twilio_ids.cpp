#include "ai/protocols/twilio_ids.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <span>

#include "ai/protocols/base64.h"

namespace offhook::ai {
namespace {

/// 32 hex digits.
std::string digest(std::string_view seed) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(seed.data()), seed.size(), hash.data());
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : std::span(hash).first(16)) {
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    return out;
}

}  // namespace

std::string twilio_sid(std::string_view prefix, std::string_view seed) {
    return std::string(prefix) + digest(std::string(prefix) + ":" + std::string(seed));
}

std::string stable_uuid(std::string_view seed) {
    std::string hex = digest("uuid:" + std::string(seed));
    hex[12] = '8';  // RFC 9562 §5.8: a version of one's own ...
    hex[16] = 'a';  // ... of its variant
    for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, 1, '-');
    return hex;
}

base::Secret twilio_signature(const base::Secret& token, std::string_view url) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    HMAC(EVP_sha1(),
         token.reveal().data(),
         static_cast<int>(token.reveal().size()),
         reinterpret_cast<const unsigned char*>(url.data()),
         url.size(),
         mac.data(),
         &length);
    std::string text;
    append_base64(std::as_bytes(std::span(mac).first(length)), text);
    return base::Secret(std::move(text));
}

}  // namespace offhook::ai
