#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "model/srtp.h"

namespace offhook::srtp {

/// RTP or RTCP: different session keys, and another place for the packet's number.
enum class Kind : std::uint8_t { Rtp, Rtcp };
enum class Way : std::uint8_t { Seal, Open };

/// What one direction's packets of one kind are protected with (RFC 3711 §4.3).
struct SessionKeys {
    std::array<std::uint8_t, 32> cipher{};  ///< the first `key_bytes` of the suite
    std::array<std::uint8_t, 14> salt{};    ///< the first `salt_bytes` of the suite
    std::array<std::uint8_t, 20> auth{};    ///< HMAC-SHA1; unused with GCM
    ~SessionKeys();
};

/// AES-CM key derivation with a derivation rate of 0, the only one SDES uses by default.
/// @param master key and salt of exactly the suite's size
/// @errors InvalidArgument: another size; Internal: OpenSSL refused
[[nodiscard]] base::Result<SessionKeys> derive_session_keys(model::SrtpSuite suite,
                                                            const model::SrtpKey& master,
                                                            Kind kind);

/// The cryptography of one direction and kind, by OpenSSL: encrypts and authenticates one packet
/// whose number (index) is known. Keeps no stream state. Nothing is allocated after `create`.
///
///     AES-CM  RTP   header | payload* | tag            tag over header, payload*, ROC
///             RTCP  header | reports* | E,index | tag  tag over all before it
///     GCM     RTP   header | payload* | tag            header is associated data
///             RTCP  header | reports* | tag | E,index  header and E,index are associated data
///                                                      (* encrypted)
/// @thread one at a time
class Transform {
public:
    /// @errors Internal: OpenSSL lacks a cipher or memory
    [[nodiscard]] static base::Result<Transform> create(model::SrtpSuite suite,
                                                        Kind kind,
                                                        const SessionKeys& keys,
                                                        Way way);
    ~Transform();
    Transform(Transform&&) noexcept;
    Transform& operator=(Transform&&) noexcept;

    /// One packet, cut up.
    struct Packet {
        std::uint32_t ssrc = 0;
        std::uint64_t index = 0;       ///< RTP: ROC << 16 | sequence; RTCP: 31 bits
        std::size_t header_bytes = 0;  ///< sent in the clear
        std::size_t body_bytes = 0;    ///< encrypted
    };
    /// What a packet grows by.
    [[nodiscard]] std::size_t overhead_bytes() const noexcept;
    /// RTCP: where the E flag and the index stand in a protected packet of this size.
    [[nodiscard]] std::size_t word_offset(std::size_t packet_bytes) const noexcept;

    /// @param in  header and body
    /// @param out room for header, body and `overhead_bytes()`; may be `in`
    /// @return false when OpenSSL refuses; then `out` must not be sent
    [[nodiscard]] bool seal(const Packet& packet,
                            const std::uint8_t* in,
                            std::uint8_t* out) noexcept;
    /// Checks and decrypts in place.
    /// @param data header, body and `overhead_bytes()`; unchanged when the tag is wrong
    /// @return whether the tag was right
    [[nodiscard]] bool open(const Packet& packet, std::uint8_t* data) noexcept;

private:
    struct Impl;
    explicit Transform(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::srtp
