#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "sdp/web_remote.h"
#include "session/web_port.h"

namespace offhook::media::detail {

/// Stands inside one webrtcbin and lets nothing pass in either direction before the peer's
/// certificate was found in its description.
///
///     SRTP -> rtpsession.recv_rtp_sink  --> WebPort (once verified and let in)
///             rtpsession.recv_rtp_src   --> dropped: no demultiplexer, no rtpjitterbuffer, none of
///             rtpsession.sync_src           their threads; our own ring follows
///     SRTCP -> rtpsession.recv_rtcp_sink -> WebPort as well; rtpsession goes on reporting
///     dtlssrtpenc.rtp_sink, rtcp_sink   <-- dropped until verified
///
/// GStreamer makes these elements when the descriptions are set; a connection whose taps are not
/// all in place is `Untapped` and never verified.
///
/// Threads: `watch`, `expect`, `let_in`, `close` are control's; the rest happens on webrtcbin's.
/// Probes share the ownership, so that it outlives them.
class WebGuard : public std::enable_shared_from_this<WebGuard> {
public:
    enum class Event : std::uint8_t {
        Verified,  ///< DTLS is up and the certificate is the announced one
        Mismatch,  ///< the certificate is another one
        Failed,    ///< DTLS failed
        Closed,    ///< the peer said goodbye (close_notify)
        Untapped,  ///< webrtcbin is not built as we know it
    };
    /// @param pem   our certificate and key  @param tell  any thread; not after `close`
    WebGuard(std::shared_ptr<session::WebPort> port,
             std::string pem,
             std::function<void(Event)> tell);

    /// Before any description is set.
    void watch(GstElement* webrtcbin);
    /// Before the peer can have our description and we its.
    void expect(std::vector<sdp::Fingerprint> announced);
    /// Whether packets are delivered to the port, once verified.
    void let_in(bool is_let_in) noexcept { is_let_in_ = is_let_in; }
    /// Nothing passes and nothing is told any more. For good.
    void close() noexcept;

    [[nodiscard]] bool is_open() const noexcept { return is_verified_ && !is_closed_; }
    /// CLOCK_MONOTONIC of the last packet that was genuine; 0: none.
    [[nodiscard]] std::int64_t heard_ns() const noexcept { return heard_ns_; }
    /// What DTLS agreed on, by its name in IANA's registry; empty: nothing yet.
    [[nodiscard]] const char* srtp_profile() const noexcept;

private:
    enum Tap : unsigned {
        RtpIn = 1,
        RtpStop = 2,
        RtcpIn = 4,
        SyncStop = 8,
        RtpOut = 16,
        RtcpOut = 32
    };
    static constexpr unsigned kAllTaps = 63;

    void on_element(GstElement* element);
    void on_session_pad(GstPad* pad);
    void tap(GstPad* pad, Tap which);
    GstPadProbeReturn on_data(Tap which, GstPadProbeInfo* info) noexcept;
    void take(GstBuffer* buffer) noexcept;
    void on_certificate(GstElement* dtls);
    void on_dtls_state(GstElement* dtls);
    void say(Event event);

    const std::shared_ptr<session::WebPort> port_;
    const std::string pem_;
    const std::function<void(Event)> tell_;

    std::mutex mutex_;
    std::vector<sdp::Fingerprint> announced_;  // guarded by mutex_

    std::atomic<unsigned> taps_{0};
    std::atomic<bool> matches_{false};  ///< the newest certificate
    std::atomic<bool> is_verified_{false};
    std::atomic<bool> is_let_in_{false};
    std::atomic<bool> is_closed_{false};
    std::atomic<std::int64_t> heard_ns_{0};
    std::atomic<unsigned> srtp_auth_{0};  ///< GstDtlsSrtpAuth; 0: none yet
};

}  // namespace offhook::media::detail
