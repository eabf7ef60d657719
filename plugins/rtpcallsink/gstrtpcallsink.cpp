/**
 * SECTION:element-rtpcallsink
 * @title: rtpcallsink
 *
 * The end of a phone leg towards the caller: sound in, one RTP packet for each 20 ms out, on one
 * SSRC, with sequence numbers that never break and timestamps that follow the buffers' offsets;
 * RTCP sender and receiver reports; RFC 4733 digits.
 *
 * Also takes the packets of a stock payloader (application/x-rtp) and renumbers them onto the same
 * stream. Sends at once: pacing is the business of whoever pushes (linekeeper). A failed send is
 * counted and never stops the stream.
 *
 * Caps in: audio/x-raw S16 mono at the codec's rate, or application/x-rtp. Latency: none. Threads:
 * the one that pushes.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 audiotestsrc is-live=true samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1
 * ! rtpcallsink remote-port=5004
 * ]|
 */
#include "rtpcallsink/gstrtpcallsink.h"

#include <memory>
#include <optional>
#include <utility>

#include "element/session_settings.h"
#include "glib/guarded.h"
#include "rtpcallsink/rtp_sender.h"

GST_DEBUG_CATEGORY_STATIC(rtpcallsink_debug);
#define GST_CAT_DEFAULT rtpcallsink_debug

namespace offhook::rtpcallsink {
namespace {

enum : guint { kPropStats = 1, kPropFirstShared };

class Sink {
public:
    explicit Sink(GstElement* element) : element_(element) {}

    element::SessionSettings settings;

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
        sender_.emplace(*opened, port_);
        return true;
    }

    void set_port(std::shared_ptr<model::AudioPort> port) { port_ = std::move(port); }

    void close() {
        sender_.reset();
        settings.close();
    }

    [[nodiscard]] RtpSender* sender() { return sender_ ? &*sender_ : nullptr; }

    bool set_caps(GstCaps* caps) {
        const GstStructure* s = gst_caps_get_structure(caps, 0);
        takes_rtp_ = gst_structure_has_name(s, "application/x-rtp");
        gint rate = 0;
        gst_structure_get_int(s, "rate", &rate);
        const auto wanted = static_cast<gint>(sender_->session().codec().sample_rate_hz);
        if (takes_rtp_ || rate == wanted) return true;
        GST_ELEMENT_ERROR(element_,
                          STREAM,
                          FORMAT,
                          ("rtpcallsink wants %d Hz for its codec and got %d", wanted, rate),
                          (nullptr));
        return false;
    }

    GstFlowReturn render(GstBuffer* buffer) {
        GstMapInfo map;
        if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
            if (takes_rtp_) {
                if (const auto packet = rtp::parse_packet({map.data, map.size}))
                    send_rtp(*packet, buffer);
            } else {
                const std::span pcm(reinterpret_cast<const std::int16_t*>(map.data),
                                    map.size / sizeof(std::int16_t));
                sender_->send_pcm(pcm, offset_of(buffer, pcm.size()));
            }
            gst_buffer_unmap(buffer, &map);
        }
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }

private:
    // An element that re-cuts buffers may forget offsets; then the time stamp, then mere counting,
    // has to do.
    std::uint64_t offset_of(GstBuffer* buffer, std::size_t samples) {
        std::uint64_t offset = next_offset_;
        if (GST_BUFFER_OFFSET_IS_VALID(buffer)) {
            offset = GST_BUFFER_OFFSET(buffer);
        } else if (GST_BUFFER_PTS_IS_VALID(buffer)) {
            offset = samples_of(GST_BUFFER_PTS(buffer), sender_->session().codec().sample_rate_hz);
        }
        next_offset_ = offset + samples;
        return offset;
    }

    // A payloader has its own OFFSET; what it keeps is the time of the sound.
    void send_rtp(const rtp::PacketView& packet, GstBuffer* buffer) {
        if (!GST_BUFFER_PTS_IS_VALID(buffer)) return sender_->send_rtp(packet);
        const std::uint32_t rate_hz = sender_->session().codec().sample_rate_hz;
        const GstClockTime duration = GST_BUFFER_DURATION_IS_VALID(buffer)
                                          ? GST_BUFFER_DURATION(buffer)
                                          : model::kPtimeMs * GST_MSECOND;
        sender_->send_rtp(
            packet, samples_of(GST_BUFFER_PTS(buffer), rate_hz), samples_of(duration, rate_hz));
    }

    static std::uint64_t samples_of(GstClockTime time, std::uint32_t rate_hz) {
        return gst_util_uint64_scale_round(time, rate_hz, GST_SECOND);
    }

    GstElement* element_;
    std::shared_ptr<model::AudioPort> port_;
    std::optional<RtpSender> sender_;
    bool takes_rtp_ = false;
    std::uint64_t next_offset_ = 0;
};

}  // namespace
}  // namespace offhook::rtpcallsink

using offhook::rtpcallsink::Sink;

struct _GstOffhookRtpCallSink {
    GstElement parent;
    Sink* sink;
};

G_DEFINE_TYPE_WITH_CODE(
    GstOffhookRtpCallSink,
    gst_offhook_rtp_call_sink,
    GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT(rtpcallsink_debug, "rtpcallsink", 0, "Offhook RTP sink"))
GST_ELEMENT_REGISTER_DEFINE(rtpcallsink,
                            "rtpcallsink",
                            GST_RANK_NONE,
                            GST_TYPE_OFFHOOK_RTP_CALL_SINK)

namespace {

using offhook::glib::guarded;
using offhook::rtpcallsink::kPropFirstShared;
using offhook::rtpcallsink::kPropStats;

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink",
    GST_PAD_SINK,
    GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, rate={8000,16000}, channels=1, layout=interleaved; "
                    "application/x-rtp, media=audio"));

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
    return guarded(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        return GST_OFFHOOK_RTP_CALL_SINK(parent)->sink->render(buffer);
    });
}

GstFlowReturn chain_list(GstPad*, GstObject* parent, GstBufferList* list) {
    return guarded(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
            GST_OFFHOOK_RTP_CALL_SINK(parent)->sink->render(
                gst_buffer_ref(gst_buffer_list_get(list, i)));
        }
        gst_buffer_list_unref(list);
        return GST_FLOW_OK;
    });
}

gboolean sink_event(GstPad*, GstObject* parent, GstEvent* event) {
    gboolean ok = TRUE;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        ok = guarded(GST_ELEMENT(parent), FALSE, [&] {
            return GST_OFFHOOK_RTP_CALL_SINK(parent)->sink->set_caps(caps) ? TRUE : FALSE;
        });
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        gst_element_post_message(GST_ELEMENT(parent), gst_message_new_eos(parent));
    }
    gst_event_unref(event);
    return ok;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
        Sink& sink = *GST_OFFHOOK_RTP_CALL_SINK(element)->sink;
        if (transition == GST_STATE_CHANGE_NULL_TO_READY && !sink.open())
            return GST_STATE_CHANGE_FAILURE;
        const GstStateChangeReturn result =
            GST_ELEMENT_CLASS(gst_offhook_rtp_call_sink_parent_class)
                ->change_state(element, transition);
        if (transition == GST_STATE_CHANGE_READY_TO_NULL) sink.close();
        return result;
    });
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
    if (!GST_OFFHOOK_RTP_CALL_SINK(object)->sink->settings.set(id, kPropFirstShared, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    Sink& sink = *GST_OFFHOOK_RTP_CALL_SINK(object)->sink;
    if (id == kPropStats) {
        g_value_take_boxed(value, offhook::element::stats_structure(sink.settings.session().get()));
    } else if (!sink.settings.get(id, kPropFirstShared, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void finalize(GObject* object) {
    delete GST_OFFHOOK_RTP_CALL_SINK(object)->sink;
    G_OBJECT_CLASS(gst_offhook_rtp_call_sink_parent_class)->finalize(object);
}

}  // namespace

static void gst_offhook_rtp_call_sink_class_init(GstOffhookRtpCallSinkClass* klass) {
    auto* object_class = G_OBJECT_CLASS(klass);
    auto* element_class = GST_ELEMENT_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    element_class->change_state = change_state;
    g_object_class_install_property(
        object_class,
        kPropStats,
        g_param_spec_boxed("stats",
                           "Statistics",
                           "Counters of the session",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    offhook::element::SessionSettings::install(object_class, kPropFirstShared);
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_set_static_metadata(element_class,
                                          "Call RTP sink",
                                          "Sink/Network/RTP",
                                          "Encodes and sends one RTP packet for each 20 ms frame",
                                          "Offhook");
}

static void gst_offhook_rtp_call_sink_init(GstOffhookRtpCallSink* self) {
    GstPad* pad = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(pad, chain);
    gst_pad_set_chain_list_function(pad, chain_list);
    gst_pad_set_event_function(pad, sink_event);
    gst_element_add_pad(GST_ELEMENT(self), pad);
    self->sink = new Sink(GST_ELEMENT(self));
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

namespace offhook::rtpcallsink {

void set_session(GstElement* rtpcallsink,
                 std::shared_ptr<session::RtpSession> session,
                 const std::string& context) {
    GST_OFFHOOK_RTP_CALL_SINK(rtpcallsink)->sink->settings.set_session(std::move(session), context);
}

void set_port(GstElement* rtpcallsink, std::shared_ptr<model::AudioPort> port) {
    GST_OFFHOOK_RTP_CALL_SINK(rtpcallsink)->sink->set_port(std::move(port));
}

bool send_digits(GstElement* rtpcallsink, const std::string& digits) {
    RtpSender* sender = GST_OFFHOOK_RTP_CALL_SINK(rtpcallsink)->sink->sender();
    return sender && sender->send_digits(digits);
}

void send_bye(GstElement* rtpcallsink) {
    if (RtpSender* sender = GST_OFFHOOK_RTP_CALL_SINK(rtpcallsink)->sink->sender())
        sender->send_bye();
}

}  // namespace offhook::rtpcallsink
