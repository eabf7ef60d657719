#include "element/session_settings.h"

#include <map>

#include "base/monotonic.h"
#include "model/stats_snapshot.h"

namespace offhook::element {
namespace {

using session::Endpoint;
using session::RtpSession;
using session::SocketPair;

enum Offset : guint {
    kContext,
    kSession,
    kAddress,
    kPort,
    kRemoteAddress,
    kRemotePort,
    kCodec,
    kPayloadType,
    kTelephoneEventType,
    kCount
};

GType codec_type() {
    static const GType type = [] {
        static const GEnumValue values[] = {
            {static_cast<gint>(model::Codec::Pcmu), "G.711 mu-law", "pcmu"},
            {static_cast<gint>(model::Codec::Pcma), "G.711 A-law", "pcma"},
            {static_cast<gint>(model::Codec::G722), "G.722 wideband", "g722"},
            {static_cast<gint>(model::Codec::Opus), "Opus at 16 kHz", "opus"},
            {static_cast<gint>(model::Codec::Opus16), "Opus with a 16 kHz RTP clock", "opus16"},
            {0, nullptr, nullptr},
        };
        return g_enum_register_static("GstOffhookCodec", values);
    }();
    return type;
}

std::string to_string(const GValue* value) {
    const gchar* text = g_value_get_string(value);
    return text ? text : "";
}

}  // namespace

guint SessionSettings::install(GObjectClass* c, guint first) {
    const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_READY);
    const auto text =
        [&](guint id, const char* name, const char* nick, const char* blurb, const char* value) {
            g_object_class_install_property(
                c, first + id, g_param_spec_string(name, nick, blurb, value, flags));
        };
    text(
        kContext, "context", "Context", "Media worker whose thread serves this element", "default");
    text(kSession,
         "session",
         "Session",
         "Name under which rtpcallsrc and rtpcallsink share sockets and SSRC",
         "");
    text(kAddress, "address", "Address", "Local numeric address to bind", "127.0.0.1");
    g_object_class_install_property(
        c,
        first + kPort,
        g_param_spec_uint(
            "port", "Port", "Local RTP port, even; 0 = chosen by the kernel", 0, 65534, 0, flags));
    text(kRemoteAddress,
         "remote-address",
         "Remote address",
         "Where to send until the peer has shown itself",
         "127.0.0.1");
    g_object_class_install_property(c,
                                    first + kRemotePort,
                                    g_param_spec_uint("remote-port",
                                                      "Remote port",
                                                      "RTP port of the peer; 0 = not known yet",
                                                      0,
                                                      65535,
                                                      0,
                                                      flags));
    gst_type_mark_as_plugin_api(codec_type(), static_cast<GstPluginAPIFlags>(0));
    g_object_class_install_property(c,
                                    first + kCodec,
                                    g_param_spec_enum("codec",
                                                      "Codec",
                                                      "Codec of both directions",
                                                      codec_type(),
                                                      static_cast<gint>(model::Codec::Pcmu),
                                                      flags));
    g_object_class_install_property(c,
                                    first + kPayloadType,
                                    g_param_spec_int("payload-type",
                                                     "Payload type",
                                                     "RTP payload type; -1 = the codec's usual one",
                                                     -1,
                                                     127,
                                                     -1,
                                                     flags));
    g_object_class_install_property(
        c,
        first + kTelephoneEventType,
        g_param_spec_int("telephone-event-type",
                         "Telephone event type",
                         "RTP payload type of RFC 4733 events; -1 = none",
                         -1,
                         127,
                         101,
                         flags));
    return first + kCount;
}

bool SessionSettings::set(guint id, guint first, const GValue* value) {
    if (id < first || id >= first + kCount) return false;
    const std::lock_guard lock(mutex_);
    switch (id - first) {
        case kContext:
            values_.context = to_string(value);
            break;
        case kSession:
            values_.session = to_string(value);
            break;
        case kAddress:
            values_.address = to_string(value);
            break;
        case kPort:
            values_.port = g_value_get_uint(value);
            break;
        case kRemoteAddress:
            values_.remote_address = to_string(value);
            break;
        case kRemotePort:
            values_.remote_port = g_value_get_uint(value);
            break;
        case kCodec:
            values_.codec = g_value_get_enum(value);
            break;
        case kPayloadType:
            values_.payload_type = g_value_get_int(value);
            break;
        default:
            values_.telephone_event_type = g_value_get_int(value);
            break;
    }
    return true;
}

bool SessionSettings::get(guint id, guint first, GValue* value) const {
    if (id < first || id >= first + kCount) return false;
    const std::lock_guard lock(mutex_);
    switch (id - first) {
        case kContext:
            g_value_set_string(value, values_.context.c_str());
            break;
        case kSession:
            g_value_set_string(value, values_.session.c_str());
            break;
        case kAddress:
            g_value_set_string(value, values_.address.c_str());
            break;
        case kPort:
            g_value_set_uint(value, session_ ? session_->sockets().port() : values_.port);
            break;
        case kRemoteAddress:
            g_value_set_string(value, values_.remote_address.c_str());
            break;
        case kRemotePort:
            g_value_set_uint(value, values_.remote_port);
            break;
        case kCodec:
            g_value_set_enum(value, values_.codec);
            break;
        case kPayloadType:
            g_value_set_int(value, values_.payload_type);
            break;
        default:
            g_value_set_int(value, values_.telephone_event_type);
            break;
    }
    return true;
}

void SessionSettings::set_session(std::shared_ptr<RtpSession> session, std::string context) {
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
    values_.context = std::move(context);
    is_given_ = true;
}

base::Result<std::shared_ptr<RtpSession>> SessionSettings::make(const Values& v) {
    auto sockets = SocketPair::open(v.address, static_cast<std::uint16_t>(v.port));
    if (!sockets) return tl::unexpected(sockets.error());
    const auto codec = static_cast<model::Codec>(v.codec);
    RtpSession::Settings settings;
    settings.codec = codec;
    settings.payload_type = v.payload_type >= 0 ? static_cast<std::uint8_t>(v.payload_type)
                                                : model::facts_of(codec).default_payload_type;
    if (v.telephone_event_type >= 0)
        settings.telephone_event_type = static_cast<std::uint8_t>(v.telephone_event_type);
    settings.cname = "offhook";
    auto made = std::make_shared<RtpSession>(std::move(*sockets), std::move(settings));
    if (v.remote_port != 0) {
        const auto rtp =
            Endpoint::make(v.remote_address, static_cast<std::uint16_t>(v.remote_port));
        if (!rtp) return tl::unexpected(rtp.error());
        const auto rtcp =
            Endpoint::make(v.remote_address, static_cast<std::uint16_t>(v.remote_port + 1));
        made->set_remote(*rtp, *rtcp);
    }
    return made;
}

base::Result<std::shared_ptr<RtpSession>> SessionSettings::open() {
    static std::mutex registry_mutex;
    static std::map<std::string, std::weak_ptr<RtpSession>> registry;
    const std::lock_guard lock(mutex_);
    if (session_) return session_;
    base::Result<std::shared_ptr<RtpSession>> made;
    if (values_.session.empty()) {
        made = make(values_);
    } else {
        const std::lock_guard registry_lock(registry_mutex);
        auto& entry = registry[values_.session];
        made = entry.lock();
        if (!*made) made = make(values_);
        if (made) entry = *made;
    }
    if (made) session_ = *made;
    return made;
}

void SessionSettings::close() {
    const std::lock_guard lock(mutex_);
    // A session that was handed to us is handed for the element's life.
    if (!is_given_) session_.reset();
}

std::string SessionSettings::context() const {
    const std::lock_guard lock(mutex_);
    return values_.context;
}

std::shared_ptr<RtpSession> SessionSettings::session() const {
    const std::lock_guard lock(mutex_);
    return session_;
}

GstStructure* stats_structure(const RtpSession* session) {
    GstStructure* s = gst_structure_new_empty("application/x-offhook-call-stats");
    if (!session) return s;
    const model::LegStats stats = model::snapshot_of(*session->counters(), 0, base::monotonic_ns());
    gst_structure_set(s,
                      "ssrc",
                      G_TYPE_UINT,
                      session->ssrc(),
                      "packets-sent",
                      G_TYPE_UINT64,
                      stats.sent_packets,
                      "ai-frames-sent",
                      G_TYPE_UINT64,
                      stats.sent_ai_frames,
                      "fill-frames-sent",
                      G_TYPE_UINT64,
                      stats.sent_fill_frames,
                      "frames-skipped",
                      G_TYPE_UINT64,
                      stats.skipped_frames,
                      "max-gap-ms",
                      G_TYPE_DOUBLE,
                      stats.max_gap_ms,
                      "last-source",
                      G_TYPE_STRING,
                      model::name_of(stats.last_source),
                      "packets-received",
                      G_TYPE_UINT64,
                      stats.received_packets,
                      "packets-lost",
                      G_TYPE_UINT64,
                      stats.lost_packets,
                      "packets-late",
                      G_TYPE_UINT64,
                      stats.late_packets,
                      "packets-refused",
                      G_TYPE_UINT64,
                      stats.refused_packets,
                      "jitter-ms",
                      G_TYPE_DOUBLE,
                      stats.jitter_ms,
                      "playout-delay-ms",
                      G_TYPE_DOUBLE,
                      stats.playout_delay_ms,
                      "round-trip-ms",
                      G_TYPE_DOUBLE,
                      stats.round_trip_ms,
                      nullptr);
    return s;
}

}  // namespace offhook::element
