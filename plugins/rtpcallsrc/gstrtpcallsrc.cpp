/**
 * SECTION:element-rtpcallsrc
 * @title: rtpcallsrc
 *
 * The caller's end of a phone leg: RTP in from one UDP socket, the caller's sound out.
 *
 * Promises: packets in order play in the millisecond they arrive; delay (0-80 ms) is added only
 * after reordering or lateness was measured, and shrinks again; losses are concealed; the first
 * valid source is locked and all others are refused; RFC 4733 digits come as element messages
 * "offhook-dtmf" (digit, duration-ms).
 *
 * Caps out: audio/x-raw S16 mono at 8 or 16 kHz (#GstOffhookRtpCallSrc:output pcm) or
 * application/x-rtp (output rtp, for stock depayloaders). Latency: 0 to 80 ms. Threads: none of its
 * own; driven by the media worker named by #GstOffhookRtpCallSrc:context, together with every other
 * element of that context.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 rtpcallsrc port=5004 codec=pcmu ! audioconvert ! wavenc ! filesink
 * location=caller.wav
 * ]|
 */
#include "rtpcallsrc/gstrtpcallsrc.h"

#include <array>
#include <atomic>
#include <optional>

#include "base/monotonic.h"
#include "element/frame_buffer.h"
#include "element/session_settings.h"
#include "glib/guarded.h"
#include "rtpcallsrc/rtp_receiver.h"
#include "worker/media_worker.h"

GST_DEBUG_CATEGORY_STATIC(rtpcallsrc_debug);
#define GST_CAT_DEFAULT rtpcallsrc_debug

namespace offhook::rtpcallsrc {
namespace {

enum : guint { kPropOutput = 1, kPropStats, kPropFirstShared };

GType output_type() {
    static const GType type = [] {
        static const GEnumValue values[] = {
            {static_cast<gint>(Output::Pcm), "Decoded sound", "pcm"},
            {static_cast<gint>(Output::Rtp), "RTP packets in order", "rtp"},
            {0, nullptr, nullptr},
        };
        return g_enum_register_static("GstOffhookRtpCallSrcOutput", values);
    }();
    return type;
}

/// State of one element. Settings are guarded where they live; the rest belongs to the worker while
/// PLAYING.
class Source final : public worker::IoClient, public worker::TickClient, public ReceiverSink {
public:
    Source(GstElement* element, GstPad* pad) : element_(element), pad_(pad) {}

    element::SessionSettings settings;
    std::atomic<gint> output{static_cast<gint>(Output::Pcm)};

    bool open() {
        auto opened = settings.open();
        if (!opened) {
            GST_ELEMENT_ERROR(element_,
                              RESOURCE,
                              OPEN_READ_WRITE,
                              ("%s", opened.error().text().c_str()),
                              (nullptr));
            return false;
        }
        session_ = *opened;
        return true;
    }

    bool start() {
        auto worker = worker::MediaWorker::for_context(settings.context());
        if (!worker) {
            GST_ELEMENT_ERROR(
                element_, RESOURCE, FAILED, ("%s", worker.error().text().c_str()), (nullptr));
            return false;
        }
        worker_ = *worker;
        const auto wanted = static_cast<Output>(output.load());
        if (!receiver_) {
            receiver_.emplace(session_, wanted, *this);
            send_start_events(wanted);
        }
        worker_->post([this] { attach(); });
        return true;
    }

    // Waits a tick at most: afterwards the worker does not know us any more.
    void stop() {
        if (!worker_) return;
        worker_->run_and_wait([this] {
            for (const int fd : descriptors()) worker_->unwatch(fd);
            worker_->detach(*this);
        });
        worker_.reset();
    }

    void close() {
        receiver_.reset();
        frame_.reset();
        session_.reset();
        position_samples_ = 0;
        settings.close();
    }

    void on_readable(int fd, std::int64_t now_ns) noexcept override {
        if (session_->web_port() != nullptr) {
            receiver_->receive_web(now_ns);
        } else if (fd == session_->sockets().rtp_fd()) {
            receiver_->receive_rtp(now_ns);
        } else {
            receiver_->receive_rtcp(now_ns);
        }
    }

    bool on_slot(std::int64_t now_ns) noexcept override {
        receiver_->play_due(now_ns);
        session_->send_due_report(now_ns);
        return false;
    }

    void on_pcm(std::span<const std::int16_t> pcm) noexcept override {
        const auto rate = session_->codec().sample_rate_hz;
        GstBuffer* buffer = frame_.writable(pcm.size_bytes());
        gst_buffer_fill(buffer, 0, pcm.data(), pcm.size_bytes());
        element::stamp_samples(buffer, position_samples_, pcm.size(), rate);
        position_samples_ += pcm.size();
        gst_pad_push(pad_, frame_.share());
    }

    void on_packet(const rtp::PacketView& packet) noexcept override {
        const std::size_t size = rtp::kHeaderBytes + packet.payload.size();
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        rtp::write_header({packet.payload_type,
                           packet.marker,
                           packet.sequence,
                           packet.timestamp_rtp,
                           packet.ssrc},
                          std::span<std::uint8_t, rtp::kHeaderBytes>(map.data, rtp::kHeaderBytes));
        std::copy(packet.payload.begin(), packet.payload.end(), map.data + rtp::kHeaderBytes);
        gst_buffer_unmap(buffer, &map);
        if (!first_timestamp_rtp_) first_timestamp_rtp_ = packet.timestamp_rtp;
        GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(packet.timestamp_rtp - *first_timestamp_rtp_,
                                                       GST_SECOND,
                                                       session_->codec().rtp_clock_hz);
        gst_pad_push(pad_, buffer);
    }

    void on_digit(const rtp::DtmfReceiver::Event& event) noexcept override {
        if (!event.is_end) return;
        const char digit[] = {event.digit, '\0'};
        const guint duration_ms = event.duration_rtp / (session_->dtmf_clocks().event_hz / 1000);
        gst_element_post_message(element_,
                                 gst_message_new_element(GST_OBJECT(element_),
                                                         gst_structure_new("offhook-dtmf",
                                                                           "digit",
                                                                           G_TYPE_STRING,
                                                                           digit,
                                                                           "duration-ms",
                                                                           G_TYPE_UINT,
                                                                           duration_ms,
                                                                           nullptr)));
    }

private:
    static constexpr int kNone = -2;

    /// What is watched: the sockets of a phone leg, the port of a web leg.
    [[nodiscard]] std::array<int, 2> descriptors() const noexcept {
        if (const session::WebPort* port = session_->web_port()) return {port->fd(), kNone};
        return {session_->sockets().rtp_fd(), session_->sockets().rtcp_fd()};
    }

    void attach() {
        for (const int fd : descriptors()) {
            if (fd == kNone || worker_->watch(fd, *this)) continue;
            GST_ELEMENT_ERROR(element_, RESOURCE, READ, ("cannot watch the RTP socket"), (nullptr));
        }
        worker_->attach(*this);
    }

    void send_start_events(Output wanted) {
        gchar* stream_id = gst_pad_create_stream_id(pad_, element_, nullptr);
        gst_pad_push_event(pad_, gst_event_new_stream_start(stream_id));
        g_free(stream_id);
        const model::CodecFacts& facts = session_->codec();
        GstCaps* caps = nullptr;
        if (wanted == Output::Pcm) {
            caps = gst_caps_new_simple("audio/x-raw",
                                       "format",
                                       G_TYPE_STRING,
                                       "S16LE",
                                       "rate",
                                       G_TYPE_INT,
                                       static_cast<gint>(facts.sample_rate_hz),
                                       "channels",
                                       G_TYPE_INT,
                                       1,
                                       "layout",
                                       G_TYPE_STRING,
                                       "interleaved",
                                       nullptr);
        } else {
            gchar* encoding = g_ascii_strup(facts.rtp_encoding.data(),
                                            static_cast<gssize>(facts.rtp_encoding.size()));
            caps = gst_caps_new_simple("application/x-rtp",
                                       "media",
                                       G_TYPE_STRING,
                                       "audio",
                                       "payload",
                                       G_TYPE_INT,
                                       static_cast<gint>(session_->settings().payload_type),
                                       "clock-rate",
                                       G_TYPE_INT,
                                       static_cast<gint>(facts.rtp_clock_hz),
                                       "encoding-name",
                                       G_TYPE_STRING,
                                       encoding,
                                       nullptr);
            g_free(encoding);
        }
        gst_pad_push_event(pad_, gst_event_new_caps(caps));
        gst_caps_unref(caps);
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(pad_, gst_event_new_segment(&segment));
    }

    GstElement* element_;
    GstPad* pad_;
    std::shared_ptr<worker::MediaWorker> worker_;
    std::shared_ptr<session::RtpSession> session_;
    std::optional<RtpReceiver> receiver_;
    element::FrameBuffer frame_;
    std::uint64_t position_samples_ = 0;
    std::optional<std::uint32_t> first_timestamp_rtp_;
};

}  // namespace
}  // namespace offhook::rtpcallsrc

using offhook::rtpcallsrc::Source;

struct _GstOffhookRtpCallSrc {
    GstElement parent;
    Source* source;
};

G_DEFINE_TYPE_WITH_CODE(
    GstOffhookRtpCallSrc,
    gst_offhook_rtp_call_src,
    GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT(rtpcallsrc_debug, "rtpcallsrc", 0, "Offhook RTP source"))
GST_ELEMENT_REGISTER_DEFINE(rtpcallsrc, "rtpcallsrc", GST_RANK_NONE, GST_TYPE_OFFHOOK_RTP_CALL_SRC)

namespace {

using offhook::glib::guarded;
using offhook::rtpcallsrc::kPropFirstShared;
using offhook::rtpcallsrc::kPropOutput;
using offhook::rtpcallsrc::kPropStats;

GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src",
    GST_PAD_SRC,
    GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, rate={8000,16000}, channels=1, layout=interleaved; "
                    "application/x-rtp, media=audio"));

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
        Source& source = *GST_OFFHOOK_RTP_CALL_SRC(element)->source;
        if (transition == GST_STATE_CHANGE_NULL_TO_READY && !source.open())
            return GST_STATE_CHANGE_FAILURE;
        if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) source.stop();
        const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_offhook_rtp_call_src_parent_class)
                                                ->change_state(element, transition);
        if (result == GST_STATE_CHANGE_FAILURE) return result;
        switch (transition) {
            case GST_STATE_CHANGE_READY_TO_PAUSED:
            case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
                return GST_STATE_CHANGE_NO_PREROLL;
            case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
                return source.start() ? result : GST_STATE_CHANGE_FAILURE;
            case GST_STATE_CHANGE_READY_TO_NULL:
                source.close();
                return result;
            default:
                return result;
        }
    });
}

gboolean query(GstPad* pad, GstObject* parent, GstQuery* q) {
    if (GST_QUERY_TYPE(q) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, q);
    gst_query_set_latency(q, TRUE, 0, 80 * GST_MSECOND);
    return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
    Source& source = *GST_OFFHOOK_RTP_CALL_SRC(object)->source;
    if (id == kPropOutput) {
        source.output = g_value_get_enum(value);
    } else if (!source.settings.set(id, kPropFirstShared, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    Source& source = *GST_OFFHOOK_RTP_CALL_SRC(object)->source;
    if (id == kPropOutput) {
        g_value_set_enum(value, source.output.load());
    } else if (id == kPropStats) {
        g_value_take_boxed(value,
                           offhook::element::stats_structure(source.settings.session().get()));
    } else if (!source.settings.get(id, kPropFirstShared, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void finalize(GObject* object) {
    delete GST_OFFHOOK_RTP_CALL_SRC(object)->source;
    G_OBJECT_CLASS(gst_offhook_rtp_call_src_parent_class)->finalize(object);
}

}  // namespace

static void gst_offhook_rtp_call_src_class_init(GstOffhookRtpCallSrcClass* klass) {
    auto* object_class = G_OBJECT_CLASS(klass);
    auto* element_class = GST_ELEMENT_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    element_class->change_state = change_state;
    const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_READY);
    gst_type_mark_as_plugin_api(offhook::rtpcallsrc::output_type(),
                                static_cast<GstPluginAPIFlags>(0));
    g_object_class_install_property(object_class,
                                    kPropOutput,
                                    g_param_spec_enum("output",
                                                      "Output",
                                                      "What leaves the src pad",
                                                      offhook::rtpcallsrc::output_type(),
                                                      0,
                                                      flags));
    g_object_class_install_property(
        object_class,
        kPropStats,
        g_param_spec_boxed("stats",
                           "Statistics",
                           "Counters of the session",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    offhook::element::SessionSettings::install(object_class, kPropFirstShared);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class,
        "Call RTP source",
        "Source/Network/RTP",
        "Receives the caller's RTP, puts it in order and decodes it",
        "Offhook");
}

static void gst_offhook_rtp_call_src_init(GstOffhookRtpCallSrc* self) {
    GstPad* pad = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_query_function(pad, query);
    gst_element_add_pad(GST_ELEMENT(self), pad);
    self->source = new Source(GST_ELEMENT(self), pad);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

namespace offhook::rtpcallsrc {

void set_session(GstElement* rtpcallsrc,
                 std::shared_ptr<session::RtpSession> session,
                 const std::string& context) {
    GST_OFFHOOK_RTP_CALL_SRC(rtpcallsrc)->source->settings.set_session(std::move(session), context);
}

}  // namespace offhook::rtpcallsrc
