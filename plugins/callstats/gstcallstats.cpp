/**
 * SECTION:element-callstats
 * @title: callstats
 *
 * Measures what passes: buffers, samples, level and peak of the last second, longest gap between
 * two buffers. Put it anywhere in a chain to see where the sound stops; read
 * #GstOffhookCallStats:stats.
 *
 * Promises: passes buffers through untouched, takes no lock, posts nothing but the element message
 * "offhook-call-gap" (max-gap-ms) when #GstOffhookCallStats:alarm-gap-ms is set and passed.
 *
 * Caps in and out: audio/x-raw S16 mono. Latency: none. Threads: the one that pushes; `stats` may
 * be read from any.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -v audiotestsrc num-buffers=100 ! audio/x-raw,rate=8000,channels=1 ! callstats
 * name=here ! fakesink
 * ]|
 */
#include "callstats/gstcallstats.h"

#include <atomic>
#include <optional>

#include "base/monotonic.h"
#include "callstats/flow_meter.h"
#include "glib/guarded.h"

GST_DEBUG_CATEGORY_STATIC(callstats_debug);
#define GST_CAT_DEFAULT callstats_debug

namespace offhook::callstats {
namespace {

constexpr std::uint32_t kLevelWindowHz = 8000;  // the level is renewed every 8000 samples

struct Stats {
    GstPad* src = nullptr;
    FlowMeter meter{kLevelWindowHz};
    std::atomic<guint> alarm_gap_ms{0};

    GstFlowReturn chain(GstElement* element, GstBuffer* buffer) {
        GstMapInfo map;
        if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
            const std::span pcm(reinterpret_cast<const std::int16_t*>(map.data),
                                map.size / sizeof(std::int16_t));
            const std::int64_t limit_ns =
                alarm_gap_ms.load(std::memory_order_relaxed) * base::kNsPerMs;
            if (meter.feed(pcm, base::monotonic_ns(), limit_ns)) post_gap(element);
            gst_buffer_unmap(buffer, &map);
        }
        if (gst_pad_is_linked(src)) return gst_pad_push(src, buffer);
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }

private:
    void post_gap(GstElement* element) const {
        gst_element_post_message(
            element,
            gst_message_new_element(GST_OBJECT(element),
                                    gst_structure_new("offhook-call-gap",
                                                      "max-gap-ms",
                                                      G_TYPE_DOUBLE,
                                                      meter.figures().max_gap_ms,
                                                      nullptr)));
    }
};

}  // namespace
}  // namespace offhook::callstats

using offhook::callstats::Stats;

struct _GstOffhookCallStats {
    GstElement parent;
    Stats* stats;
};

G_DEFINE_TYPE_WITH_CODE(
    GstOffhookCallStats,
    gst_offhook_call_stats,
    GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT(callstats_debug, "callstats", 0, "Offhook call statistics"))
GST_ELEMENT_REGISTER_DEFINE(callstats, "callstats", GST_RANK_NONE, GST_TYPE_OFFHOOK_CALL_STATS)

namespace {

enum : guint { kPropStats = 1, kPropAlarmGap };

#define OFFHOOK_STATS_CAPS "audio/x-raw, format=S16LE, channels=1, layout=interleaved"
GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(OFFHOOK_STATS_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(OFFHOOK_STATS_CAPS));

Stats& stats_of(gpointer object) {
    return *GST_OFFHOOK_CALL_STATS(object)->stats;
}

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
    return offhook::glib::guarded(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        return stats_of(parent).chain(GST_ELEMENT(parent), buffer);
    });
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
    if (gst_pad_is_linked(stats_of(parent).src)) return gst_pad_event_default(pad, parent, event);
    gst_event_unref(event);
    return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
    if (id == kPropAlarmGap) {
        stats_of(object).alarm_gap_ms = g_value_get_uint(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    if (id == kPropAlarmGap) {
        g_value_set_uint(value, stats_of(object).alarm_gap_ms.load());
    } else if (id == kPropStats) {
        const auto figures = stats_of(object).meter.figures();
        g_value_take_boxed(value,
                           gst_structure_new("application/x-offhook-flow",
                                             "buffers",
                                             G_TYPE_UINT64,
                                             figures.buffers,
                                             "samples",
                                             G_TYPE_UINT64,
                                             figures.samples,
                                             "max-gap-ms",
                                             G_TYPE_DOUBLE,
                                             figures.max_gap_ms,
                                             "level-dbov",
                                             G_TYPE_DOUBLE,
                                             figures.level_dbov,
                                             "peak",
                                             G_TYPE_INT,
                                             figures.peak,
                                             nullptr));
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void finalize(GObject* object) {
    delete GST_OFFHOOK_CALL_STATS(object)->stats;
    G_OBJECT_CLASS(gst_offhook_call_stats_parent_class)->finalize(object);
}

}  // namespace

static void gst_offhook_call_stats_class_init(GstOffhookCallStatsClass* klass) {
    auto* object_class = G_OBJECT_CLASS(klass);
    auto* element_class = GST_ELEMENT_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    g_object_class_install_property(
        object_class,
        kPropStats,
        g_param_spec_boxed("stats",
                           "Statistics",
                           "What passed so far",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    g_object_class_install_property(
        object_class,
        kPropAlarmGap,
        g_param_spec_uint("alarm-gap-ms",
                          "Alarm gap",
                          "Post a message when no buffer came for this long, in ms; 0 = never",
                          0,
                          60000,
                          0,
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING)));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class,
                                          "Call statistics",
                                          "Filter/Analyzer/Audio",
                                          "Counts what passes: buffers, level, longest gap",
                                          "Offhook");
}

static void gst_offhook_call_stats_init(GstOffhookCallStats* self) {
    self->stats = new Stats;
    GstPad* sink = gst_pad_new_from_static_template(&sink_template, "sink");
    self->stats->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_chain_function(sink, chain);
    gst_pad_set_event_function(sink, sink_event);
    GST_PAD_SET_PROXY_CAPS(sink);
    GST_PAD_SET_PROXY_CAPS(self->stats->src);
    gst_element_add_pad(GST_ELEMENT(self), sink);
    gst_element_add_pad(GST_ELEMENT(self), self->stats->src);
}
