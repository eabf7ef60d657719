#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "harness/rtp_judge.h"
#include "harness/sound.h"
#include "harness/web_peer_connection.h"
#include "harness/web_peer_pacer.h"

namespace offhook::harness {

/// A WebPhone or browser of the tests: offers or answers, sends a sound under one SSRC every 20 ms
/// from connected on, and keeps what it hears. Signalling is the test's: descriptions are texts.
///
///     WebPeer peer({});
///     peer.take_answer(post_whip(peer.offer()));
///     ASSERT_TRUE(peer.wait_packets(100, seconds(10)));
///     EXPECT_TRUE(keeps_promise(peer.wire().judge()));
///
/// Threads: one sends for all peers that share a pacer; webrtcbin's own hear. Methods are for one
/// thread of the test.
class WebPeer {
public:
    enum class Codec : std::uint8_t { Pcmu, Pcma, Opus };
    struct Options {
        Codec codec = Codec::Pcmu;
        int payload_type = -1;               ///< of the codec when we offer; -1: 0, 8 or 111
        int dtmf_payload_type = -1;          ///< when we offer; -1: 101, Opus 110; 0: none
        bool has_wrong_fingerprint = false;  ///< in every description that it writes
        bool is_mute = false;                ///< sends no RTP at all
        bool keeps_sound = true;             ///< false: headers alone, for loads
        Sound sound{};                       ///< 8 kHz mono, repeated for ever; empty: silence
        std::string address = "127.0.0.1";   ///< candidates are gathered from
        std::shared_ptr<WebPacer> pacer{};   ///< shared by a load; null: its own
    };
    /// The first of a process waits 300 ms for GStreamer's certificate: see `warm_up`.
    explicit WebPeer(Options options);
    ~WebPeer();
    WebPeer(const WebPeer&) = delete;
    WebPeer& operator=(const WebPeer&) = delete;

    /// Makes the certificate that all webrtcbins of the process share.
    static void warm_up();

    // signalling

    std::string offer();
    void take_answer(const std::string& answer);
    /// The answer to `restart_offer`, as WHIP gives it: what it changes of the last one.
    void take_fragment(const std::string& fragment);
    /// @errors throws when the offer has not our codec
    std::string answer(const std::string& offer);
    /// What it wrote last, with another direction and the next version: hold and resume. Nothing
    /// but text: webrtcbin is not asked, and the peer goes on sending.
    std::string offer_again(const std::string& direction);
    /// An offer with other ICE credentials. 1.22 cannot restart ICE, so a second webrtcbin makes
    /// it and takes over once connected; SSRC, sequence and timestamps go on.
    std::string restart_offer();

    // what happens

    bool wait_connected(milliseconds limit) { return newest().wait_connected(limit); }
    [[nodiscard]] bool is_connected() { return newest().is_connected(); }
    [[nodiscard]] bool is_failed() { return newest().is_failed(); }
    /// Until `count` RTP packets have arrived, in all or since `forget`.
    bool wait_packets(std::size_t count, milliseconds limit);
    /// Until `count` more have.
    bool wait_more(std::size_t count, milliseconds limit);
    /// Whether the other end showed the certificate that its description promised, as a browser
    /// would ask. 1.22 does not.
    [[nodiscard]] bool is_peer_verified();
    /// Says RFC 4733 digits between two packets of sound, under the same SSRC.
    void send_digits(const std::string& digits);
    void set_mute(bool is_mute);
    void vanish() { newest().vanish(); }

    // what it heard

    /// Headers of all RTP in order of arrival, payloads left out: before decryption, so also of a
    /// peer whose keys do not fit.
    [[nodiscard]] RtpStream wire() const;
    /// Decrypted RTP in order of arrival. Empty without `keeps_sound`.
    [[nodiscard]] RtpStream packets() const;
    /// Decrypted and decoded.
    [[nodiscard]] Sound heard() const;
    [[nodiscard]] std::size_t arrived() const;
    [[nodiscard]] std::size_t sent() const;
    /// CLOCK_MONOTONIC ns; 0: nothing yet.
    [[nodiscard]] std::int64_t first_arrival_ns() const;
    [[nodiscard]] std::int64_t connected_ns();
    /// Digits that arrived, each once (RFC 4733 by timestamp).
    [[nodiscard]] std::string digits() const;
    /// From now on only what arrives later counts.
    void forget();
    [[nodiscard]] int dtmf_payload_type() const { return dtmf_payload_type_; }
    [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }

private:
    std::unique_ptr<WebConnection> connection();
    WebConnection& newest() { return next_ ? *next_ : *current_; }
    std::string written(std::string sdp);
    void send_next();
    std::vector<std::uint8_t> next_packet();
    void on_wire(std::span<const std::uint8_t> packet);
    void on_packet(std::span<const std::uint8_t> packet);

    Options options_;
    int payload_type_ = 0, dtmf_payload_type_ = 0;
    std::vector<std::vector<std::uint8_t>> payloads_;  ///< 20 ms each
    std::uint32_t ssrc_ = 0;
    std::string last_written_, remote_;
    int version_ = 1;

    mutable std::mutex heard_mutex_;  ///< guards what webrtcbin's threads write
    std::condition_variable arrived_changed_;
    std::vector<RtpPacket> wire_, packets_;
    std::int64_t first_arrival_ns_ = 0;

    mutable std::mutex send_mutex_;  ///< guards what the pacer's thread uses
    std::unique_ptr<WebConnection> current_, next_;
    std::vector<std::unique_ptr<WebConnection>> replaced_;  ///< by an ICE restart
    std::uint16_t sequence_ = 0;
    std::uint32_t timestamp_ = 0;
    std::size_t sent_ = 0, position_ = 0;
    bool is_mute_ = false;
    std::string digits_;     ///< still to be said
    int digit_packets_ = 0;  ///< of the first of them, already sent
    std::uint64_t pace_id_ = 0;
};

/// `sound` (8 kHz) as payloads of 20 ms; the last is filled up with silence.
std::vector<std::vector<std::uint8_t>> web_payloads(WebPeer::Codec codec, const Sound& sound);

}  // namespace offhook::harness
