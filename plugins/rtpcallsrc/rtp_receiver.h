#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "callstats/level_meter.h"
#include "model/codec.h"
#include "rtp/codec.h"
#include "rtp/dtmf.h"
#include "rtp/jitter_ring.h"
#include "rtp/noise.h"
#include "rtp/packet.h"
#include "rtpcallsrc/pause_clock.h"
#include "session/rtp_session.h"

namespace offhook::rtpcallsrc {

/// Where the receiver's results go. @thread the media worker
class ReceiverSink {
public:
    virtual ~ReceiverSink() = default;
    /// Decoded sound in order, mono S16 at the codec's sample rate.
    virtual void on_pcm(std::span<const std::int16_t> pcm) noexcept = 0;
    /// `output=rtp`: the packet itself, in order.
    virtual void on_packet(const rtp::PacketView& packet) noexcept = 0;
    virtual void on_digit(const rtp::DtmfReceiver::Event& event) noexcept = 0;
};

enum class Output { Pcm, Rtp };

/// The inbound end of a leg: datagrams in, the caller's sound out, in order and without holes. Where
/// the figure says socket a web leg has its WebPort.
///
///     socket -> parse -> whose? (SourceLock) -> JitterRing -> decode -> on_pcm
///                |           |                     |-- lost --> conceal -> on_pcm
///                '-refused---'                     |-- telephone-event -> DtmfReceiver -> on_digit
///                                                  '-- comfort noise, DTX: PauseClock, and
///                                                      background -> on_pcm until sound is back
///
/// @thread the media worker
class RtpReceiver {
public:
    RtpReceiver(std::shared_ptr<session::RtpSession> session, Output output, ReceiverSink& sink);

    /// Takes what the socket holds, at most a few datagrams a call (the rest waits for the next
    /// tick).
    void receive_rtp(std::int64_t now_ns) noexcept;
    void receive_rtcp(std::int64_t now_ns) noexcept;
    /// The same on a web leg: what its port holds, RTP and RTCP.
    void receive_web(std::int64_t now_ns) noexcept;
    /// Once per 20 ms: what was waiting for its time, losses, and the background of a pause.
    void play_due(std::int64_t now_ns) noexcept;

    /// One RTP datagram, as the socket gave it, without its protection.
    void handle(std::span<const std::uint8_t> datagram,
                const session::Endpoint& from,
                std::int64_t now_ns) noexcept;

private:
    void note_arrival(std::span<const std::uint8_t> datagram, std::int64_t now_ns) noexcept;
    void play_due_packets(std::int64_t now_ns) noexcept;
    /// @param waited_ns  for its turn in the ring
    void play(const rtp::PacketView& packet, std::int64_t waited_ns, std::int64_t now_ns) noexcept;
    void play_digit(const rtp::PacketView& packet) noexcept;
    void play_noise(const rtp::PacketView& packet, std::int64_t now_ns) noexcept;
    void begin_pause(std::uint32_t timestamp_rtp, std::int64_t from_ns, bool is_told) noexcept;
    void end_pause(std::uint32_t timestamp_rtp) noexcept;
    void cancel_pause() noexcept;
    void background(std::size_t samples) noexcept;
    void conceal(std::uint32_t duration_rtp) noexcept;
    void deliver(std::span<const std::int16_t> pcm) noexcept;

    std::shared_ptr<session::RtpSession> session_;
    ReceiverSink& sink_;
    const Output output_;
    std::unique_ptr<rtp::Decoder> decoder_;
    rtp::JitterRing ring_;
    rtp::DtmfReceiver dtmf_;
    PauseClock pause_;
    rtp::ComfortNoise noise_;
    bool is_noise_told_ = false;  ///< the pause's background is RFC 3389's, not the codec's own
    callstats::LevelMeter level_;
};

}  // namespace offhook::rtpcallsrc
