#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "model/srtp.h"
#include "srtp/replay_window.h"
#include "srtp/transform.h"

namespace offhook::srtp {

/// Checks and decrypts what a peer sends under one master key.
///
/// Only a packet whose tag is right changes any state: neither a forged sequence number nor a flood
/// of forged SSRCs reaches the rollover counter, the replay window or the table of streams.
///
///     datagram -> number guessed from the stream's highest -> replayed? -> tag right? -> noted
///
/// A stream (SSRC) that is new begins at rollover 0 (RFC 4568 §6.4), or at 1 when the peer's number
/// wrapped before we heard its first packet. The four streams heard last are remembered. A peer
/// that starts its numbers over under the same key and SSRC is refused until it is past where it
/// was: that is a replay (RFC 3711 §3.3.2), and would betray its key stream.
/// @thread one at a time (the media worker); nothing is allocated after `create`
class SrtpInbound {
public:
    /// @errors InvalidArgument: the key does not fit the suite; Internal: OpenSSL refused
    [[nodiscard]] static base::Result<SrtpInbound> create(model::SrtpSuite suite,
                                                          const model::SrtpKey& key);

    enum class Verdict : std::uint8_t {
        Ok,
        Malformed,   ///< not RTP or RTCP, or too short to be protected
        AuthFailed,  ///< the tag is wrong: another key, or forged
        Replayed,    ///< seen before, or too old to know
    };
    struct Opened {
        Verdict verdict = Verdict::Malformed;
        std::size_t bytes = 0;  ///< of the plain packet, at the front of the given one
    };
    /// In place; what is not Ok is left as it was.
    [[nodiscard]] Opened open_rtp(std::span<std::uint8_t> packet) noexcept;
    [[nodiscard]] Opened open_rtcp(std::span<std::uint8_t> packet) noexcept;

private:
    struct Stream {
        std::uint32_t ssrc = 0;
        std::uint32_t last_use = 0;  ///< 0: free
        ReplayWindow rtp;
        ReplayWindow rtcp;
    };
    SrtpInbound(Transform rtp, Transform rtcp) noexcept
        : rtp_(std::move(rtp)), rtcp_(std::move(rtcp)) {}
    [[nodiscard]] Stream* find(std::uint32_t ssrc) noexcept;
    [[nodiscard]] Stream& keep(std::uint32_t ssrc) noexcept;

    Transform rtp_;
    Transform rtcp_;
    std::uint32_t uses_ = 0;
    std::array<Stream, 4> streams_{};
};

}  // namespace offhook::srtp
