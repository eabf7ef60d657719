#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "model/srtp.h"
#include "srtp/transform.h"

namespace offhook::srtp {

/// What a protected packet can be longer than the plain one (GCM over RTCP).
inline constexpr std::size_t kMaxOverheadBytes = 20;

/// Protects what we send: one SSRC, sequence numbers that rise by one and wrap. Nothing is
/// allocated after `create`.
/// @thread one at a time (the media worker)
class SrtpOutbound {
public:
    /// @errors InvalidArgument: the key does not fit the suite; Internal: OpenSSL refused
    [[nodiscard]] static base::Result<SrtpOutbound> create(model::SrtpSuite suite,
                                                           const model::SrtpKey& key);

    /// @param packet a whole RTP packet
    /// @param out    room for it and kMaxOverheadBytes; may begin where `packet` does
    /// @return bytes written; 0: not RTP, no room, or OpenSSL refused
    [[nodiscard]] std::size_t protect_rtp(std::span<const std::uint8_t> packet,
                                          std::span<std::uint8_t> out) noexcept;
    /// The same for an RTCP compound.
    [[nodiscard]] std::size_t protect_rtcp(std::span<const std::uint8_t> packet,
                                           std::span<std::uint8_t> out) noexcept;

private:
    SrtpOutbound(Transform rtp, Transform rtcp) noexcept
        : rtp_(std::move(rtp)), rtcp_(std::move(rtcp)) {}

    Transform rtp_;
    Transform rtcp_;
    std::uint32_t rollover_ = 0;
    std::uint16_t highest_ = 0;
    bool has_begun_ = false;
    std::uint32_t rtcp_index_ = 0;
};

}  // namespace offhook::srtp
