#pragma once

#include <gst/gst.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// One webrtcbin with one audio line, driven by texts: a browser's RTCPeerConnection as far as the
/// tests need one. Shares nothing with the daemon's web legs but GStreamer.
///
/// RTP comes out at two places: as it arrives (`on_wire`: header in clear, payload encrypted, before
/// any other thread of webrtcbin had it) and decrypted, before the jitter buffer (`on_packet`).
///
/// Blocking, from any one thread; callbacks come on webrtcbin's.
class WebConnection {
public:
    struct Parts {
        std::string encoding = "PCMU";  ///< as caps write it
        int payload_type = 0;
        int clock_rate_hz = 8000;
        std::uint32_t ssrc = 0;
        std::string address = "127.0.0.1";  ///< the only one that candidates are gathered from
        std::function<void(std::span<const std::uint8_t>)> on_wire;
        std::function<void(std::span<const std::uint8_t>)> on_packet;
    };
    /// @errors throws when GStreamer has no webrtcbin
    explicit WebConnection(Parts parts);
    ~WebConnection();
    WebConnection(const WebConnection&) = delete;
    WebConnection& operator=(const WebConnection&) = delete;

    /// The offer with all candidates. @errors throws
    std::string offer();
    /// The answer with all candidates. @errors throws when webrtcbin does not like the offer
    std::string answer(const std::string& offer);
    /// Returns at once; what webrtcbin makes of it shows in `is_connected`.
    void take_answer(const std::string& answer);

    /// ICE and DTLS are up.
    [[nodiscard]] bool is_connected() const { return state_ == kConnected; }
    bool wait_connected(milliseconds limit);
    /// ICE or DTLS gave up, or the peer closed.
    [[nodiscard]] bool is_failed() const { return state_ == kFailed; }
    /// When `is_connected` became true.
    [[nodiscard]] std::optional<Clock::time_point> connected_at() const;
    /// SHA-256 of the certificate that the other end showed, as a=fingerprint writes it; empty
    /// before DTLS.
    [[nodiscard]] std::string peer_fingerprint();

    /// One plain RTP packet. Only once connected: webrtcbin blocks before.
    void send(std::span<const std::uint8_t> packet);

    /// Nothing leaves any more and nothing is read, without a word to the peer: a cable was pulled.
    /// Its sockets stay open, so that no ICMP says otherwise.
    void vanish();

private:
    static constexpr int kNew = 0, kConnected = 1, kFailed = 2;

    void on_state();
    void on_element(GstElement* element);
    void connect_sink();
    std::string local_description(const char* create, const char* name);
    void set_remote(const std::string& sdp, bool is_offer, bool waits);
    void wait_gathered();

    Parts parts_;
    GstElement* pipeline_ = nullptr;
    GstElement* web_ = nullptr;
    GstPad* source_ = nullptr;  ///< ours, into webrtcbin
    std::vector<int> cut_off_;  ///< sockets of a peer that vanished
    std::atomic<int> state_{kNew};
    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    bool is_gathered_ = false;
    std::optional<Clock::time_point> connected_at_;
};

}  // namespace offhook::harness
