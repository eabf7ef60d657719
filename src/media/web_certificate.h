#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sdp/web_remote.h"

namespace offhook::media {

/// Who we are in one DTLS association: a self-signed ECDSA P-256 certificate (RFC 8827 §6.5), made
/// for one transport and used by no other, so that two calls cannot be told to be of one Offhook.
class WebCertificate {
public:
    /// Takes a millisecond. Valid from a day ago (clocks differ) for 30 days.
    /// @errors Internal: OpenSSL refused
    [[nodiscard]] static base::Result<WebCertificate> create();

    /// Certificate and private key, for the DTLS element. A secret.
    [[nodiscard]] const std::string& pem() const noexcept { return pem_; }
    /// a=fingerprint of it: "sha-256 AB:CD:..." (RFC 8122 §5).
    [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

private:
    WebCertificate() = default;
    std::string pem_, fingerprint_;
};

/// Whether the certificate that a peer showed is the one that its description announced. Of several
/// fingerprints those of the strongest hash count, and one of them has to match (RFC 8122 §5).
/// Compared in constant time.
/// @param pem  the first certificate in it counts; false when there is none
[[nodiscard]] bool is_announced(std::string_view pem, std::span<const sdp::Fingerprint> announced);

}  // namespace offhook::media
