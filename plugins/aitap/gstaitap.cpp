/**
 * SECTION:element-aitap
 * @title: aitap
 *
 * Passes sound through untouched and hands a copy to the AI, or to the mixer of a channel (the
 * program sets where; without that it only counts).
 *
 * Promises: never blocks and never changes a buffer; when the reader is slow the oldest samples are
 * dropped and counted; the src pad may stay unlinked, so the tap can end a chain.
 *
 * Caps in and out: audio/x-raw S16 mono, 8 or 16 kHz. Latency: none. Threads: the one that pushes.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audio/x-raw,rate=8000,channels=1 ! aitap ! fakesink
 * ]|
 */
#include "aitap/gstaitap.h"

#include <atomic>
#include <optional>

#include "aitap/tap_core.h"
#include "glib/guarded.h"
#include "worker/media_worker.h"

GST_DEBUG_CATEGORY_STATIC(aitap_debug);
#define GST_CAT_DEFAULT aitap_debug

namespace offhook::aitap {
namespace {

struct Tap {
    GstPad* sink = nullptr;
    GstPad* src = nullptr;
    std::optional<TapCore> core;
    std::atomic<std::uint32_t> rate_hz{0};
    std::atomic<std::uint64_t> samples{0};

    GstFlowReturn chain(GstBuffer* buffer) {
        GstMapInfo map;
        if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
            const std::span pcm(reinterpret_cast<const std::int16_t*>(map.data),
                                map.size / sizeof(std::int16_t));
            samples.store(samples.load(std::memory_order_relaxed) + pcm.size(),
                          std::memory_order_relaxed);
            if (core) {
                core->tap(pcm, rate_hz.load(std::memory_order_relaxed));
                if (auto* worker = worker::MediaWorker::current()) worker->note_tapped();
            }
            gst_buffer_unmap(buffer, &map);
        }
        if (gst_pad_is_linked(src)) return gst_pad_push(src, buffer);
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }
};

}  // namespace
}  // namespace offhook::aitap

using offhook::aitap::Tap;

struct _GstOffhookAiTap {
    GstElement parent;
    Tap* tap;
};

G_DEFINE_TYPE_WITH_CODE(GstOffhookAiTap,
                        gst_offhook_ai_tap,
                        GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(aitap_debug, "aitap", 0, "Offhook AI tap"))
GST_ELEMENT_REGISTER_DEFINE(aitap, "aitap", GST_RANK_NONE, GST_TYPE_OFFHOOK_AI_TAP)

namespace {

enum : guint { kPropSamples = 1 };

#define OFFHOOK_TAP_CAPS \
    "audio/x-raw, format=S16LE, rate={8000,16000}, channels=1, layout=interleaved"
GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(OFFHOOK_TAP_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(OFFHOOK_TAP_CAPS));

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
    return offhook::glib::guarded(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        return GST_OFFHOOK_AI_TAP(parent)->tap->chain(buffer);
    });
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
    Tap& tap = *GST_OFFHOOK_AI_TAP(parent)->tap;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        gint rate = 0;
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "rate", &rate);
        tap.rate_hz = static_cast<std::uint32_t>(rate);
    }
    if (!gst_pad_is_linked(tap.src)) {
        // Nothing behind us: the event has done its work.
        gst_event_unref(event);
        return TRUE;
    }
    return gst_pad_event_default(pad, parent, event);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    if (id == kPropSamples) {
        g_value_set_uint64(
            value, GST_OFFHOOK_AI_TAP(object)->tap->samples.load(std::memory_order_relaxed));
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void finalize(GObject* object) {
    delete GST_OFFHOOK_AI_TAP(object)->tap;
    G_OBJECT_CLASS(gst_offhook_ai_tap_parent_class)->finalize(object);
}

}  // namespace

static void gst_offhook_ai_tap_class_init(GstOffhookAiTapClass* klass) {
    auto* object_class = G_OBJECT_CLASS(klass);
    auto* element_class = GST_ELEMENT_CLASS(klass);
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    g_object_class_install_property(
        object_class,
        kPropSamples,
        g_param_spec_uint64("samples",
                            "Samples",
                            "Samples that passed",
                            0,
                            G_MAXUINT64,
                            0,
                            static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class,
                                          "AI tap",
                                          "Filter/Audio",
                                          "Passes sound through and hands a copy to the AI",
                                          "Offhook");
}

static void gst_offhook_ai_tap_init(GstOffhookAiTap* self) {
    self->tap = new Tap;
    self->tap->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    self->tap->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_chain_function(self->tap->sink, chain);
    gst_pad_set_event_function(self->tap->sink, sink_event);
    GST_PAD_SET_PROXY_CAPS(self->tap->sink);
    GST_PAD_SET_PROXY_CAPS(self->tap->src);
    gst_element_add_pad(GST_ELEMENT(self), self->tap->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->tap->src);
}

namespace offhook::aitap {

void set_port(GstElement* aitap,
              std::shared_ptr<model::AudioPort> port,
              std::shared_ptr<model::LegCounters> counters) {
    GST_OFFHOOK_AI_TAP(aitap)->tap->core.emplace(std::move(port), std::move(counters));
}

}  // namespace offhook::aitap
