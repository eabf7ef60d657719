#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/srtp.h"

namespace offhook::model {

/// One a=crypto line (RFC 4568 §9.1): a key in the description, for whoever receives what its
/// sender sends.
struct SdpCrypto {
    std::uint32_t tag = 1;  ///< 1 to 999999999; an answer repeats that of the line it took
    SrtpSuite suite = SrtpSuite::AesCm128HmacSha1_80;
    SrtpKey key;

    [[nodiscard]] bool operator==(const SdpCrypto&) const = default;
};

/// Reads what follows "a=crypto:". A lifetime is let pass and not kept: no call sends 2^48 packets.
/// WSH and parameters that may be ignored ("-...") are let pass as well.
/// @return empty for what we do not speak: another suite, several keys, an MKI, a derivation rate,
/// unencrypted or unauthenticated streams; and for what is broken
[[nodiscard]] std::optional<SdpCrypto> parse_crypto(std::string_view value);

/// What follows "a=crypto:", without lifetime or parameters.
[[nodiscard]] std::string write_crypto(const SdpCrypto& crypto);

}  // namespace offhook::model
