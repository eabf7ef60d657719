#include "media/detail/web_guard.h"

#include <string_view>
#include <utility>

#include "base/monotonic.h"
#include "glib/ref.h"
#include "media/detail/web_signal.h"
#include "media/web_certificate.h"

namespace offhook::media::detail {
namespace {

using Shared = std::shared_ptr<WebGuard>;

/// GstDtlsConnectionState, which has no public header.
enum DtlsState : int { Closed = 1, Failed = 2, Connected = 4 };

WebGuard& guard_of(gpointer data) {
    return **static_cast<Shared*>(data);
}

std::string_view factory_of(GstElement* element) {
    GstElementFactory* factory = gst_element_get_factory(element);
    return factory != nullptr ? GST_OBJECT_NAME(factory) : "";
}

}  // namespace

WebGuard::WebGuard(std::shared_ptr<session::WebPort> port,
                   std::string pem,
                   std::function<void(Event)> tell)
    : port_(std::move(port)), pem_(std::move(pem)), tell_(std::move(tell)) {}

void WebGuard::watch(GstElement* webrtcbin) {
    connect(webrtcbin,
            "deep-element-added",
            G_CALLBACK(+[](GstBin*, GstBin*, GstElement* element, gpointer self) {
                walled([&] { guard_of(self).on_element(element); });
            }),
            shared_from_this());
}

void WebGuard::expect(std::vector<sdp::Fingerprint> announced) {
    const std::lock_guard lock(mutex_);
    announced_ = std::move(announced);
}

void WebGuard::close() noexcept {
    is_closed_ = true;
    is_let_in_ = false;
}

void WebGuard::on_element(GstElement* element) {
    const std::string_view factory = factory_of(element);
    if (factory == "dtlssrtpdec") {
        // While its state is NULL: the encoder takes over the connection that this makes.
        g_object_set(element, "pem", pem_.c_str(), nullptr);
    } else if (factory == "dtlsdec") {
        connect(element,
                "notify::peer-pem",
                G_CALLBACK(+[](GstElement* dtls, GParamSpec*, gpointer self) {
                    walled([&] { guard_of(self).on_certificate(dtls); });
                }),
                shared_from_this());
        connect(element,
                "notify::connection-state",
                G_CALLBACK(+[](GstElement* dtls, GParamSpec*, gpointer self) {
                    walled([&] { guard_of(self).on_dtls_state(dtls); });
                }),
                shared_from_this());
    } else if (factory == "dtlssrtpenc") {
        for (const auto& [name, which] :
             {std::pair{"rtp_sink_0", RtpOut}, {"rtcp_sink_0", RtcpOut}}) {
            const auto pad = glib::Ref<GstPad>::adopt(gst_element_get_static_pad(element, name));
            if (pad) tap(pad.get(), which);
        }
    } else if (factory == "rtpsession") {
        connect(element,
                "pad-added",
                G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                    walled([&] { guard_of(self).on_session_pad(pad); });
                }),
                shared_from_this());
    } else if (factory == "clocksync") {
        // Would make the worker wait for a clock that it keeps itself.
        g_object_set(element, "sync", FALSE, nullptr);
    }
}

void WebGuard::on_session_pad(GstPad* pad) {
    const std::string_view name = GST_PAD_NAME(pad);
    if (name == "recv_rtp_sink") tap(pad, RtpIn);
    if (name == "recv_rtp_src") tap(pad, RtpStop);
    if (name == "recv_rtcp_sink") tap(pad, RtcpIn);
    if (name == "sync_src") tap(pad, SyncStop);
}

void WebGuard::tap(GstPad* pad, Tap which) {
    struct Probe {
        Shared guard;
        Tap which;
    };
    constexpr auto kData =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    const gulong id = gst_pad_add_probe(
        pad,
        kData,
        [](GstPad*, GstPadProbeInfo* info, gpointer data) {
            const auto& probe = *static_cast<Probe*>(data);
            return probe.guard->on_data(probe.which, info);
        },
        new Probe{shared_from_this(), which},
        [](gpointer data) { delete static_cast<Probe*>(data); });
    if (id != 0) taps_ |= which;
}

GstPadProbeReturn WebGuard::on_data(Tap which, GstPadProbeInfo* info) noexcept {
    if (which == RtpStop || which == SyncStop || !is_open()) return GST_PAD_PROBE_DROP;
    if (which == RtpOut || which == RtcpOut) return GST_PAD_PROBE_OK;
    heard_ns_.store(base::monotonic_ns(), std::memory_order_relaxed);
    if (!is_let_in_) return GST_PAD_PROBE_OK;
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
        take(GST_PAD_PROBE_INFO_BUFFER(info));
    } else {
        GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
        for (guint i = 0; i < gst_buffer_list_length(list); ++i) take(gst_buffer_list_get(list, i));
    }
    return GST_PAD_PROBE_OK;
}

void WebGuard::take(GstBuffer* buffer) noexcept {
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return;
    port_->deliver({map.data, map.size});
    gst_buffer_unmap(buffer, &map);
}

// Inside the handshake, with the DTLS element's lock held: before there are any keys. The peer may
// show another one later (renegotiation); that one counts then.
void WebGuard::on_certificate(GstElement* dtls) {
    gchar* text = nullptr;
    g_object_get(dtls, "peer-pem", &text, nullptr);
    const glib::UniqueString pem(text);
    std::vector<sdp::Fingerprint> announced;
    {
        const std::lock_guard lock(mutex_);
        announced = announced_;
    }
    matches_ = pem && is_announced(pem.get(), announced);
    if (!matches_) {
        is_verified_ = false;
        say(Event::Mismatch);
    }
}

// On the thread that brings the packets as well, before it brings the first.
void WebGuard::on_dtls_state(GstElement* dtls) {
    int state = 0;
    g_object_get(dtls, "connection-state", &state, nullptr);
    if (state == Failed) say(Event::Failed);
    if (state == Closed && is_verified_) say(Event::Closed);
    if (state != Connected || !matches_ || is_verified_) return;
    if (taps_ != kAllTaps) return say(Event::Untapped);
    guint auth = 0;
    g_object_get(dtls, "srtp-auth", &auth, nullptr);
    srtp_auth_ = auth;
    is_verified_ = true;
    heard_ns_ = base::monotonic_ns();
    say(Event::Verified);
}

// 1.22 has one cipher, and two lengths of its tag (gstdtlsconnection.h).
const char* WebGuard::srtp_profile() const noexcept {
    switch (srtp_auth_) {
        case 1:
            return "SRTP_AES128_CM_HMAC_SHA1_32";
        case 2:
            return "SRTP_AES128_CM_HMAC_SHA1_80";
        default:
            return "";
    }
}

void WebGuard::say(Event event) {
    if (!is_closed_) tell_(event);
}

}  // namespace offhook::media::detail
