#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "callstats/level_meter.h"
#include "model/audio_port.h"
#include "model/codec.h"
#include "rtp/codec.h"
#include "rtp/dtmf.h"
#include "rtp/packet.h"
#include "session/rtp_session.h"

namespace offhook::rtpcallsink {

/// The outbound end of a leg: frames in, one RTP packet each out, numbered without a hole whatever
/// happens upstream.
///
///     PCM frame (offset in samples) --encode--> payload --.
///     RTP packet of a stock payloader --------> payload --+--> our header --> socket
///     a DTMF digit is due -------------------> RFC 4733 --'    (SSRC, +1, timestamp)
///
/// The timestamp follows the frame's offset: where the keeper gave up time after a stall the offset
/// jumps, so the timestamp does, with the marker set, while the sequence number goes on by one (RFC
/// 3550 §5.1).
/// @thread the media worker
class RtpSender {
public:
    /// @param port  where to tell what left, and how loud; may be null
    explicit RtpSender(std::shared_ptr<session::RtpSession> session,
                       std::shared_ptr<model::AudioPort> port = nullptr);

    /// Any number of samples at the codec's sample rate; complete 20 ms frames leave at once.
    /// @param offset_samples position of the first sample since the start of the call
    void send_pcm(std::span<const std::int16_t> pcm, std::uint64_t offset_samples) noexcept;
    /// One packet of a stock payloader; its payload, timestamp steps and nothing else are kept.
    /// @param offset_samples, samples  which of the line's it carries; samples 0: not known, then
    /// its timestamp has to do
    void send_rtp(const rtp::PacketView& packet,
                  std::uint64_t offset_samples = 0,
                  std::size_t samples = 0) noexcept;
    /// Queues RFC 4733 digits; false when the peer takes none or a digit is not one.
    bool send_digits(std::span<const char> digits) noexcept;
    void send_bye() noexcept;

    [[nodiscard]] const session::RtpSession& session() const noexcept { return *session_; }

private:
    void send_frame(std::span<const std::int16_t> pcm, std::uint64_t offset_samples) noexcept;
    /// @return whether it left: not while the peer is on hold, nor when a digit took its place
    bool send_payload(std::size_t payload_bytes,
                      std::uint32_t timestamp_rtp,
                      std::int64_t now_ns) noexcept;
    /// Sends a due DTMF packet instead of the frame. @return true when it did
    bool send_event_instead(std::uint32_t timestamp_rtp, std::int64_t now_ns) noexcept;
    /// @return whether the network took it
    bool emit(const rtp::Header& header, std::size_t payload_bytes, std::int64_t now_ns) noexcept;

    std::shared_ptr<session::RtpSession> session_;
    std::shared_ptr<model::AudioPort> port_;
    std::unique_ptr<rtp::Encoder> encoder_;
    rtp::DtmfSender dtmf_;
    callstats::LevelMeter level_;
    const std::size_t frame_samples_;
    const std::uint32_t frame_rtp_;

    std::uint16_t sequence_;
    std::uint32_t timestamp_base_;
    std::uint32_t expected_rtp_ = 0;
    bool started_ = false;
    bool stream_based_ = false;        ///< stock payloader: its first timestamp is known
    std::uint32_t stream_offset_ = 0;  ///< ours minus the payloader's

    std::array<std::int16_t, model::frame_samples(16000)> partial_{};
    std::size_t partial_samples_ = 0;
    std::uint64_t partial_offset_ = 0;
    std::array<std::uint8_t, rtp::kMaxPacketBytes> packet_{};
};

}  // namespace offhook::rtpcallsink
