#include "harness/web_peer_connection.h"

#include <gst/sdp/sdp.h>
#include <nice/agent.h>
#include <sys/socket.h>
#include <unistd.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#include <stdexcept>
#include <utility>

namespace offhook::harness {
namespace {

/// The `notify::ice-gathering-state` to complete is sometimes lost in 1.22.
constexpr milliseconds kGatherLimit{3'000};

const std::string& factory_of(GstElement* element) {
    static thread_local std::string name;
    GstElementFactory* factory = gst_element_get_factory(element);
    name = factory != nullptr ? GST_OBJECT_NAME(factory) : "";
    return name;
}

/// RTP, told from RTCP and DTLS by RFC 7983 §7 and RFC 5761 §4.
bool is_rtp(std::span<const std::uint8_t> packet) {
    return packet.size() >= 12 && packet[0] >= 128 && packet[0] <= 191 &&
           ((packet[1] & 0x7f) < 64 || (packet[1] & 0x7f) > 95);
}

using Taker = std::function<void(std::span<const std::uint8_t>)>;

GstPadProbeReturn take(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer data) {
    const auto& taker = *static_cast<const Taker*>(data);
    const auto one = [&](GstBuffer* buffer) {
        GstMapInfo map;
        if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
            const std::span<const std::uint8_t> packet(map.data, map.size);
            if (is_rtp(packet)) {
                taker(packet);
            }
            gst_buffer_unmap(buffer, &map);
        }
    };
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
        GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
        for (guint index = 0; index < gst_buffer_list_length(list); ++index) {
            one(gst_buffer_list_get(list, index));
        }
    } else if (GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info)) {
        one(buffer);
    }
    return GST_PAD_PROBE_OK;
}

void add_taker(GstElement* element, const char* pad_name, Taker& taker) {
    if (!taker) {
        return;
    }
    GstPad* pad = gst_element_get_static_pad(element, pad_name);
    gst_pad_add_probe(
        pad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        take,
        &taker,
        nullptr);
    gst_object_unref(pad);
}

/// Waits for the promise; throws with webrtcbin's words when it was refused.
GstStructure* reply_of(GstPromise* promise, const char* asked) {
    if (gst_promise_wait(promise) != GST_PROMISE_RESULT_REPLIED) {
        gst_promise_unref(promise);
        throw std::runtime_error(std::string(asked) + ": webrtcbin gave no reply");
    }
    const GstStructure* reply = gst_promise_get_reply(promise);
    GstStructure* copy = reply != nullptr ? gst_structure_copy(reply) : nullptr;
    gst_promise_unref(promise);
    GError* error = nullptr;
    if (copy != nullptr && gst_structure_get(copy, "error", G_TYPE_ERROR, &error, nullptr)) {
        const std::string text = std::string(asked) + ": " + error->message;
        g_error_free(error);
        gst_structure_free(copy);
        throw std::runtime_error(text);
    }
    return copy;
}

GObject* object_of(gpointer object, const char* property) {
    GObject* value = nullptr;
    if (object != nullptr) {
        g_object_get(object, property, &value, nullptr);
    }
    return value;
}

}  // namespace

WebConnection::WebConnection(Parts parts) : parts_(std::move(parts)) {
    gst_init(nullptr, nullptr);
    web_ = gst_element_factory_make("webrtcbin", nullptr);
    if (web_ == nullptr) {
        throw std::runtime_error(
            "GStreamer has no webrtcbin; install gstreamer1.0-plugins-bad and gstreamer1.0-nice");
    }
    pipeline_ = gst_pipeline_new("web-peer");
    g_object_set(
        web_, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", 40, nullptr);
    g_signal_connect(pipeline_,
                     "deep-element-added",
                     G_CALLBACK(+[](GstBin*, GstBin*, GstElement* element, gpointer self) {
                         static_cast<WebConnection*>(self)->on_element(element);
                     }),
                     this);
    gst_bin_add(GST_BIN(pipeline_), web_);
    g_signal_connect(web_,
                     "notify::ice-gathering-state",
                     G_CALLBACK(+[](GstElement* web, GParamSpec*, gpointer data) {
                         auto* self = static_cast<WebConnection*>(data);
                         GstWebRTCICEGatheringState state{};
                         g_object_get(web, "ice-gathering-state", &state, nullptr);
                         const std::lock_guard lock(self->mutex_);
                         self->is_gathered_ = state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE;
                         self->changed_.notify_all();
                     }),
                     this);
    g_signal_connect(web_,
                     "notify::connection-state",
                     G_CALLBACK(+[](GstElement*, GParamSpec*, gpointer self) {
                         static_cast<WebConnection*>(self)->on_state();
                     }),
                     this);
    // What comes was taken before; here it only has to go somewhere.
    g_signal_connect(web_,
                     "pad-added",
                     G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                         if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) {
                             return;
                         }
                         GstElement* sink = gst_element_factory_make("fakesink", nullptr);
                         g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
                         gst_bin_add(GST_BIN(static_cast<WebConnection*>(self)->pipeline_), sink);
                         gst_element_sync_state_with_parent(sink);
                         GstPad* end = gst_element_get_static_pad(sink, "sink");
                         gst_pad_link(pad, end);
                         gst_object_unref(end);
                     }),
                     this);
    GObject* ice = object_of(web_, "ice-agent");
    gboolean is_added = FALSE;
    g_signal_emit_by_name(ice, "add-local-ip-address", parts_.address.c_str(), &is_added);
    // Without UPnP, whose answer gathering waits 200 ms for, and without TCP candidates.
    GObject* agent = object_of(ice, "agent");
    g_object_set(agent, "upnp", FALSE, "ice-tcp", FALSE, nullptr);
    g_object_unref(agent);
    g_object_unref(ice);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    connect_sink();
}

WebConnection::~WebConnection() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_pad_set_active(source_, FALSE);
    gst_object_unref(source_);
    gst_object_unref(pipeline_);
    for (const int fd : cut_off_) {
        ::close(fd);
    }
}

void WebConnection::connect_sink() {
    GstCaps* caps = gst_caps_new_simple("application/x-rtp",
                                        "media",
                                        G_TYPE_STRING,
                                        "audio",
                                        "encoding-name",
                                        G_TYPE_STRING,
                                        parts_.encoding.c_str(),
                                        "clock-rate",
                                        G_TYPE_INT,
                                        parts_.clock_rate_hz,
                                        "payload",
                                        G_TYPE_INT,
                                        parts_.payload_type,
                                        "ssrc",
                                        G_TYPE_UINT,
                                        parts_.ssrc,
                                        nullptr);
    if (parts_.encoding == "OPUS") {
        gst_caps_set_simple(caps, "encoding-params", G_TYPE_STRING, "2", nullptr);
    }
    source_ = gst_pad_new("packets", GST_PAD_SRC);
    gst_object_ref_sink(source_);
    gst_pad_set_active(source_, TRUE);
    GstPad* sink = gst_element_request_pad_simple(web_, "sink_%u");
    const GstPadLinkReturn linked = gst_pad_link(source_, sink);
    gst_object_unref(sink);
    if (linked != GST_PAD_LINK_OK) {
        throw std::runtime_error("webrtcbin's sink pad does not link");
    }
    gst_pad_push_event(source_, gst_event_new_stream_start("web-peer"));
    gst_pad_push_event(source_, gst_event_new_caps(caps));
    gst_caps_unref(caps);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(source_, gst_event_new_segment(&segment));
}

void WebConnection::on_element(GstElement* element) {
    const std::string& factory = factory_of(element);
    if (factory == "nicesrc") {
        add_taker(element, "src", parts_.on_wire);
    } else if (factory == "dtlssrtpdec") {
        add_taker(element, "rtp_src", parts_.on_packet);
    }
}

void WebConnection::on_state() {
    GstWebRTCPeerConnectionState state{};
    g_object_get(web_, "connection-state", &state, nullptr);
    const std::lock_guard lock(mutex_);
    if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
        if (!connected_at_) {
            connected_at_ = Clock::now();
        }
        state_ = kConnected;
    } else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
               state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED) {
        state_ = kFailed;
    }
    changed_.notify_all();
}

std::string WebConnection::local_description(const char* create, const char* name) {
    GstPromise* promise = gst_promise_new();
    g_signal_emit_by_name(web_, create, nullptr, promise);
    GstStructure* reply = reply_of(promise, create);
    GstWebRTCSessionDescription* description = nullptr;
    if (reply != nullptr) {
        gst_structure_get(reply, name, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, nullptr);
        gst_structure_free(reply);
    }
    if (description == nullptr) {
        throw std::runtime_error(std::string(create) + ": webrtcbin made no description");
    }
    promise = gst_promise_new();
    g_signal_emit_by_name(web_, "set-local-description", description, promise);
    gst_webrtc_session_description_free(description);
    if (GstStructure* set = reply_of(promise, "set-local-description")) {
        gst_structure_free(set);
    }
    wait_gathered();
    g_object_get(web_, "local-description", &description, nullptr);
    gchar* text = gst_sdp_message_as_text(description->sdp);
    gst_webrtc_session_description_free(description);
    std::string sdp = text;
    g_free(text);
    return sdp;
}

void WebConnection::wait_gathered() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kGatherLimit, [this] { return is_gathered_; });
}

std::string WebConnection::offer() {
    return local_description("create-offer", "offer");
}

std::string WebConnection::answer(const std::string& offer) {
    set_remote(offer, true, true);
    return local_description("create-answer", "answer");
}

void WebConnection::take_answer(const std::string& answer) {
    set_remote(answer, false, false);
}

void WebConnection::set_remote(const std::string& sdp, bool is_offer, bool waits) {
    GstSDPMessage* message = nullptr;
    if (gst_sdp_message_new_from_text(sdp.c_str(), &message) != GST_SDP_OK) {
        throw std::runtime_error("not a session description:\n" + sdp);
    }
    GstWebRTCSessionDescription* description = gst_webrtc_session_description_new(
        is_offer ? GST_WEBRTC_SDP_TYPE_OFFER : GST_WEBRTC_SDP_TYPE_ANSWER, message);
    GstPromise* promise = waits ? gst_promise_new() : nullptr;
    g_signal_emit_by_name(web_, "set-remote-description", description, promise);
    gst_webrtc_session_description_free(description);
    if (waits) {
        if (GstStructure* reply = reply_of(promise, "set-remote-description")) {
            gst_structure_free(reply);
        }
    }
}

bool WebConnection::wait_connected(milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return state_ != kNew; }) && is_connected();
}

std::optional<Clock::time_point> WebConnection::connected_at() const {
    const std::lock_guard lock(mutex_);
    return connected_at_;
}

std::string WebConnection::peer_fingerprint() {
    GstWebRTCRTPTransceiver* transceiver = nullptr;
    g_signal_emit_by_name(web_, "get-transceiver", 0, &transceiver);
    GObject* sender = object_of(transceiver, "sender");
    GObject* transport = object_of(sender, "transport");
    gchar* pem = nullptr;
    if (transport != nullptr) {
        g_object_get(transport, "remote-certificate", &pem, nullptr);
    }
    std::string fingerprint;
    const std::string text = pem != nullptr ? pem : "";
    const std::size_t begin = text.find('\n');
    const std::size_t end = text.rfind("-----END");
    if (begin != std::string::npos && end != std::string::npos && begin < end) {
        gsize length = 0;
        guchar* der = g_base64_decode(text.substr(begin, end - begin).c_str(), &length);
        gchar* hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der, length);
        const std::string hex = hash;
        for (std::size_t at = 0; at < hex.size(); at += 2) {
            fingerprint += (at > 0 ? ":" : "") + hex.substr(at, 2);
        }
        for (char& digit : fingerprint) {
            digit = g_ascii_toupper(digit);
        }
        g_free(hash);
        g_free(der);
    }
    g_free(pem);
    g_clear_object(&transport);
    g_clear_object(&sender);
    g_clear_object(&transceiver);
    return fingerprint;
}

void WebConnection::send(std::span<const std::uint8_t> packet) {
    GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
    if (GstClock* clock = gst_element_get_clock(pipeline_)) {
        GST_BUFFER_PTS(buffer) = gst_clock_get_time(clock) - gst_element_get_base_time(pipeline_);
        gst_object_unref(clock);
    }
    gst_pad_push(source_, buffer);
}

void WebConnection::vanish() {
    GObject* ice = object_of(web_, "ice-agent");
    GObject* agent = object_of(ice, "agent");
    GPtrArray* sockets = nice_agent_get_sockets(NICE_AGENT(agent), 1, 1);
    for (guint index = 0; sockets != nullptr && index < sockets->len; ++index) {
        const int fd = g_socket_get_fd(G_SOCKET(g_ptr_array_index(sockets, index)));
        // The real one stays open and unread below another number; libnice goes on with one that
        // hears nothing and cannot send to an IP address.
        const int kept = ::dup(fd);
        const int deaf = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (kept < 0 || deaf < 0 || ::dup2(deaf, fd) < 0) {
            throw std::runtime_error("no descriptor left to vanish with");
        }
        ::close(deaf);
        cut_off_.push_back(kept);
    }
    if (sockets != nullptr) {
        g_ptr_array_unref(sockets);
    }
    g_object_unref(agent);
    g_object_unref(ice);
}

}  // namespace offhook::harness
