#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"

namespace offhook::model {

/// The protections of RTP we speak (RFC 3711, RFC 7714), in the order in which we prefer them: GCM
/// costs least.
enum class SrtpSuite : std::uint8_t {
    AeadAes128Gcm,
    AeadAes256Gcm,
    AesCm128HmacSha1_80,
    AesCm128HmacSha1_32,
};

struct SrtpSuiteFacts {
    SrtpSuite suite;
    std::string_view name;        ///< as in a=crypto (RFC 4568 §6.2, RFC 7714 §14.2)
    std::uint8_t key_bytes;       ///< master key
    std::uint8_t salt_bytes;      ///< master salt
    std::uint8_t rtp_tag_bytes;   ///< what each RTP packet grows by
    std::uint8_t rtcp_tag_bytes;  ///< each RTCP packet grows by this and a word of 4
    bool is_gcm;

    [[nodiscard]] constexpr std::size_t keying_bytes() const noexcept {
        return static_cast<std::size_t>(key_bytes) + salt_bytes;
    }
};

inline constexpr std::array<SrtpSuiteFacts, 4> kSrtpSuites{{
    {SrtpSuite::AeadAes128Gcm, "AEAD_AES_128_GCM", 16, 12, 16, 16, true},
    {SrtpSuite::AeadAes256Gcm, "AEAD_AES_256_GCM", 32, 12, 16, 16, true},
    {SrtpSuite::AesCm128HmacSha1_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
    // RFC 4568 §6.2.2: the short tag is for RTP alone.
    {SrtpSuite::AesCm128HmacSha1_32, "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false},
}};

[[nodiscard]] constexpr const SrtpSuiteFacts& facts_of(SrtpSuite suite) noexcept {
    return kSrtpSuites[static_cast<std::size_t>(suite)];
}
/// By its name in a=crypto, without case; empty for one that we do not speak.
[[nodiscard]] std::optional<SrtpSuite> srtp_suite_named(std::string_view name) noexcept;

/// Master key followed by master salt. Overwritten when it goes; never printed.
class SrtpKey {
public:
    static constexpr std::size_t kMaxBytes = 46;

    SrtpKey() = default;
    /// @param bytes at most kMaxBytes; more are cut off (and then fit no suite)
    explicit SrtpKey(std::span<const std::uint8_t> bytes) noexcept;
    SrtpKey(const SrtpKey&) = default;
    SrtpKey& operator=(const SrtpKey&) = default;
    ~SrtpKey();

    /// As many random bytes as `suite` wants. @errors Io: the kernel has none
    [[nodiscard]] static base::Result<SrtpKey> random(SrtpSuite suite);

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
        return std::span(bytes_).first(size_);
    }
    [[nodiscard]] bool operator==(const SrtpKey&) const = default;

private:
    std::array<std::uint8_t, kMaxBytes> bytes_{};
    std::uint8_t size_ = 0;
};

/// `[rtp] srtp`: what to do about protection of phone legs.
enum class SrtpPolicy : std::uint8_t {
    Off,      ///< plain RTP only
    Prefer,   ///< SRTP where the peer has it, else plain
    Require,  ///< SRTP or no call
};

}  // namespace offhook::model
