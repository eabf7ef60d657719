#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "model/codec.h"
#include "model/leg_counters.h"
#include "model/leg_quirks.h"
#include "model/sdp_offer.h"
#include "rtp/codec.h"
#include "rtp/dtmf.h"
#include "rtp/rtcp.h"
#include "session/endpoint.h"
#include "session/socket_pair.h"
#include "session/source_lock.h"
#include "session/srtp_contexts.h"
#include "session/web_port.h"

namespace offhook::session {

/// What both directions of one RTP leg share: the sockets, who the peer is, our SSRC, RTCP, the
/// counters.
///
/// A web leg has a WebPort in place of the sockets. Whose packets those are was decided by DTLS and
/// ICE, so there is no remote, no source lock and no SRTP here; reports are webrtcbin's to write,
/// and ours to read. While nothing is attached to the port its frames count as held.
///
/// Threads: made and configured on control; once an element that uses it is PLAYING everything
/// below "worker" belongs to that element's media worker, and control changes it by commands posted
/// there. Counters may be read anywhere. Ownership: shared by rtpcallsrc, rtpcallsink and the phone
/// leg; the sockets or the port close with the last of them.
class RtpSession {
public:
    struct Settings {
        model::Codec codec = model::Codec::Pcmu;
        std::uint8_t payload_type = 0;
        std::optional<std::uint8_t> telephone_event_type;
        std::uint32_t telephone_event_clock_hz = 0;      ///< 0: the codec's
        std::optional<std::uint8_t> comfort_noise_type;  ///< RFC 3389, inbound
        rtp::CodecSettings codec_settings;
        bool rtcp_mux = false;
        model::LegQuirks quirks;
        std::string cname;
        std::optional<std::uint32_t> ssrc{};  ///< what we send under; empty: at random
        /// More time than this between two sent packets is counted as a long gap.
        std::int64_t gap_limit_ns = 60'000'000;
    };
    RtpSession(SocketPair sockets, Settings settings);
    /// Of a web leg. RTCP shares the way of RTP, whatever `settings` say.
    RtpSession(std::shared_ptr<WebPort> port, Settings settings);

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] const model::CodecFacts& codec() const noexcept {
        return model::facts_of(settings_.codec);
    }
    [[nodiscard]] rtp::DtmfClocks dtmf_clocks() const noexcept {
        const std::uint32_t stream_hz = codec().rtp_clock_hz;
        const std::uint32_t event_hz = settings_.telephone_event_clock_hz;
        return {stream_hz, event_hz != 0 ? event_hz : stream_hz};
    }
    [[nodiscard]] const SocketPair& sockets() const noexcept { return sockets_; }
    /// Null on a phone leg.
    [[nodiscard]] WebPort* web_port() const noexcept { return web_.get(); }
    [[nodiscard]] const std::shared_ptr<model::LegCounters>& counters() const noexcept {
        return counters_;
    }
    [[nodiscard]] std::uint32_t ssrc() const noexcept { return ssrc_; }

    // worker

    /// Where to send before the peer has shown its real address, and whom to expect. A changed
    /// address unlocks the source, the same one again lets a peer behind NAT move (SourceLock).
    void set_remote(const Endpoint& rtp, const Endpoint& rtcp) noexcept;
    /// What a re-INVITE may change while the codec stays: payload numbers (RFC 3264 §8.3.2), the
    /// events' clock, and whether RTCP shares the RTP port (RFC 5761 §5.1.1).
    void renegotiate(const model::ChosenAudio& chosen) noexcept;
    /// What is sent and received from now on is protected so. Packets under the old key that are
    /// still under way are opened until the first under the new one came.
    void set_srtp(SrtpPair pair) noexcept;
    /// Off: the peer asked for nothing (hold). The clock runs on.
    void set_sending(bool sending) noexcept;
    [[nodiscard]] bool is_sending() const noexcept { return sending_ && (!web_ || web_->out()); }

    /// Takes the protection off a datagram of the RTP or the RTCP socket, in place. Comes before
    /// anybody judges it: what is not genuine must not even show its source.
    /// @return the plain datagram; empty when it was refused and counted
    [[nodiscard]] std::optional<std::span<const std::uint8_t>> unprotect(
        std::span<std::uint8_t> datagram) noexcept;
    /// Whether this packet is the caller's; keeps reception statistics. `from` is of no account on
    /// a web leg.
    [[nodiscard]] SourceLock::Verdict accept(const rtp::PacketView& packet,
                                             const Endpoint& from,
                                             std::int64_t now_ns) noexcept;
    void handle_rtcp(std::span<const std::uint8_t> datagram,
                     const Endpoint& from,
                     std::int64_t now_ns) noexcept;

    /// With the quirk `latch_datagram`: the one datagram that is not RTP, to each new remote address.
    /// Cheap otherwise; call before every frame.
    void send_due_latch() noexcept;
    /// Sends one finished RTP packet to the peer. `payload_bytes` and `timestamp_rtp` are for the
    /// SR.
    /// @return whether it left: the kernel took it, or webrtcbin
    bool send_rtp(std::span<const std::uint8_t> packet,
                  std::size_t payload_bytes,
                  std::uint32_t timestamp_rtp,
                  std::int64_t now_ns) noexcept;
    /// Notes a frame that was not sent (hold): the timestamps of reports and of the resumed stream
    /// run on.
    void run_clock(std::uint32_t timestamp_rtp, std::int64_t now_ns) noexcept;
    /// Sends a report when its time has come (RFC 3550 §6.2: 5 s, randomised); cheap otherwise.
    /// Nothing on a web leg.
    void send_due_report(std::int64_t now_ns) noexcept;
    /// The last report, with BYE (RFC 3550 §6.3.7).
    void send_bye(std::int64_t now_ns) noexcept;

private:
    /// @return whether it left
    [[nodiscard]] bool send_datagram(std::span<const std::uint8_t> packet) noexcept;
    void send_report(bool bye, std::int64_t now_ns) noexcept;
    [[nodiscard]] const Endpoint& destination() const noexcept;

    SocketPair sockets_;
    std::shared_ptr<WebPort> web_;
    Settings settings_;
    std::shared_ptr<model::LegCounters> counters_;
    std::uint32_t ssrc_;
    std::uint32_t random_;

    Endpoint remote_rtp_;
    Endpoint remote_rtcp_;
    SourceLock lock_;
    SrtpPair srtp_;
    std::shared_ptr<srtp::SrtpInbound> old_inbound_;  ///< of the key before, until the new is heard
    bool sending_ = true;
    bool is_latch_due_ = false;
    rtp::ReceptionStats reception_;
    rtp::LastSr last_sr_;
    std::optional<Endpoint> rtcp_source_;
    std::uint32_t clock_rtp_ =
        0;  ///< RTP timestamp of the frame that was due at `clock_ns_`, sent or held
    std::int64_t clock_ns_ = 0;
    std::int64_t next_report_ns_ = 0;
};

}  // namespace offhook::session
