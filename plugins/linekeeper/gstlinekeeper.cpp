/**
 * SECTION:element-linekeeper
 * @title: linekeeper
 *
 * Keeps a line alive: exactly one 20 ms buffer every 20 ms for ever, from the AI (the program sets
 * its queue), from the channel the leg has a seat in, or from the optional sink pad when there is
 * sound, else from the filler, cross-faded over 5 ms at each edge.
 *
 * Promises: PTS and OFFSET continuous from 0; after the first buffer no DISCONT, no second segment,
 * caps, EOS or flush, whatever comes in at the sink pad; a late thread sends what it owes in order,
 * two buffers a tick; a stall of more than 60 ms makes OFFSET and PTS jump over the lost time.
 *
 * Caps out: audio/x-raw S16 mono at #GstOffhookLineKeeper:rate. Latency: 0 to 20 ms. Threads: none
 * of its own; driven by the media worker named by #GstOffhookLineKeeper:context.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 linekeeper fill=tone ! audioconvert ! autoaudiosink
 * ]|
 */
#include "linekeeper/gstlinekeeper.h"

#include <atomic>
#include <mutex>
#include <optional>

#include "aitap/resample2.h"
#include "base/monotonic.h"
#include "element/frame_buffer.h"
#include "glib/guarded.h"
#include "linekeeper/line_keeper.h"
#include "model/codec.h"
#include "worker/media_worker.h"

GST_DEBUG_CATEGORY_STATIC(linekeeper_debug);
#define GST_CAT_DEFAULT linekeeper_debug

namespace offhook::linekeeper {
namespace {

enum : guint { kPropContext = 1, kPropFill, kPropRate, kPropFrames, kPropFramesSkipped };

constexpr guint kDefaultRateHz = 8000;
constexpr const char* kDefaultFill = "comfort-noise";

struct Settings {
    std::string context = "default";
    std::string fill = kDefaultFill;
    guint rate_hz = kDefaultRateHz;
};

class Keeper final : public worker::TickClient {
public:
    Keeper(GstElement* element, GstPad* src) : element_(element), src_(src) {}

    std::mutex settings_mutex;
    Settings settings;  // guarded by settings_mutex

    void set_voice(std::shared_ptr<model::AudioPort> port,
                   std::shared_ptr<model::LegCounters> counters) {
        port_ = std::move(port);
        counters_ = std::move(counters);
        has_given_voice_ = true;
    }
    /// The queue has one writer: where the program gave one, the sink pad is not to be had.
    [[nodiscard]] bool has_given_voice() const noexcept { return has_given_voice_; }

    bool open() {
        Settings now;
        {
            const std::lock_guard lock(settings_mutex);
            now = settings;
        }
        if (!port_) port_ = std::make_shared<model::AudioPort>(now.rate_hz);
        if (!counters_) counters_ = std::make_shared<model::LegCounters>();
        auto filler = make_filler(now.fill, port_->sample_rate_hz);
        if (!filler) {
            GST_ELEMENT_ERROR(
                element_, RESOURCE, SETTINGS, ("%s", filler.error().text().c_str()), (nullptr));
            return false;
        }
        core_.emplace(port_->sample_rate_hz, std::move(*filler), counters_);
        core_->set_voice(port_);
        has_started_ = false;
        has_reported_ = false;
        return true;
    }

    bool start() {
        std::string context;
        {
            const std::lock_guard lock(settings_mutex);
            context = settings.context;
        }
        auto worker = worker::MediaWorker::for_context(context);
        if (!worker) {
            GST_ELEMENT_ERROR(
                element_, RESOURCE, FAILED, ("%s", worker.error().text().c_str()), (nullptr));
            return false;
        }
        worker_ = *worker;
        if (!has_started_) send_start_events();
        has_started_ = true;
        worker_->post([this] { core_->start(worker_->attach(*this)); });
        return true;
    }

    void stop() {
        if (!worker_) return;
        worker_->run_and_wait([this] { worker_->detach(*this); });
        worker_.reset();
    }

    void close() {
        core_.reset();
        frame_.reset();
    }

    bool on_slot(std::int64_t now_ns) noexcept override {
        std::uint64_t skipped = 0;
        const int due = core_->frames_due(now_ns, skipped);
        if (skipped > 0) worker_->count_overrun(skipped);
        for (int i = 0; i < due; ++i) push_frame();
        return core_->is_behind(now_ns);
    }

    /// Sound from the sink pad. @thread upstream's
    void take(GstBuffer* buffer) {
        GstMapInfo map;
        if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
        port_->voice.write(
            {reinterpret_cast<const std::int16_t*>(map.data), map.size / sizeof(std::int16_t)});
        gst_buffer_unmap(buffer, &map);
    }

    [[nodiscard]] guint rate_hz() {
        const std::lock_guard lock(settings_mutex);
        return port_ ? port_->sample_rate_hz : settings.rate_hz;
    }
    [[nodiscard]] std::uint64_t frames() const noexcept {
        return frames_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t frames_skipped() const noexcept {
        return counters_ ? model::LegCounters::get(counters_->skipped_frames) : 0;
    }

private:
    void push_frame() noexcept {
        const std::size_t samples = core_->frame_samples();
        GstBuffer* buffer = frame_.writable(samples * sizeof(std::int16_t));
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        const LineKeeper::Frame frame = core_->make_frame(
            {reinterpret_cast<std::int16_t*>(map.data), samples}, port_->seat.get());
        if (auto* recorder = port_->recorder())
            record(*recorder, {reinterpret_cast<const std::int16_t*>(map.data), samples});
        gst_buffer_unmap(buffer, &map);
        element::stamp_samples(buffer, frame.offset_samples, samples, port_->sample_rate_hz);
        frames_.store(frames_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        const GstFlowReturn flow = gst_pad_push(src_, frame_.share());
        if (flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING && !has_reported_) report(flow);
    }

    void record(model::CallRecorder& recorder, std::span<const std::int16_t> pcm) noexcept {
        constexpr std::size_t kFrame = model::CallRecorder::kFrameSamples;
        if (pcm.size() == kFrame) return recorder.say(pcm.first<kFrame>());
        if (pcm.size() * 2 != kFrame) return;
        if (!to_recorder_) to_recorder_.emplace(aitap::Resample2::Mode::Up);
        std::array<std::int16_t, kFrame> resampled;
        (void)to_recorder_->process(pcm, resampled);
        recorder.say(resampled);
    }

    // An element behind us refused sound, and not every one says so on the bus: a silent line must
    // have a name.
    void report(GstFlowReturn flow) {
        has_reported_ = true;
        GST_ELEMENT_FLOW_ERROR(element_, flow);
    }

    void send_start_events() {
        gchar* stream_id = gst_pad_create_stream_id(src_, element_, nullptr);
        gst_pad_push_event(src_, gst_event_new_stream_start(stream_id));
        g_free(stream_id);
        GstCaps* caps = gst_caps_new_simple("audio/x-raw",
                                            "format",
                                            G_TYPE_STRING,
                                            "S16LE",
                                            "rate",
                                            G_TYPE_INT,
                                            static_cast<gint>(port_->sample_rate_hz),
                                            "channels",
                                            G_TYPE_INT,
                                            1,
                                            "layout",
                                            G_TYPE_STRING,
                                            "interleaved",
                                            nullptr);
        gst_pad_push_event(src_, gst_event_new_caps(caps));
        gst_caps_unref(caps);
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(src_, gst_event_new_segment(&segment));
    }

    GstElement* element_;
    GstPad* src_;
    std::shared_ptr<model::AudioPort> port_;
    std::shared_ptr<model::LegCounters> counters_;
    std::shared_ptr<worker::MediaWorker> worker_;
    std::optional<LineKeeper> core_;
    std::optional<aitap::Resample2> to_recorder_;  ///< while recorded, at 8 kHz
    element::FrameBuffer frame_;
    bool has_given_voice_ = false;
    bool has_started_ = false;
    bool has_reported_ = false;
    std::atomic<std::uint64_t> frames_{0};
};

}  // namespace
}  // namespace offhook::linekeeper

using offhook::linekeeper::Keeper;

struct _GstOffhookLineKeeper {
    GstElement parent;
    Keeper* keeper;
};

G_DEFINE_TYPE_WITH_CODE(
    GstOffhookLineKeeper,
    gst_offhook_line_keeper,
    GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT(linekeeper_debug, "linekeeper", 0, "Offhook line keeper"))
GST_ELEMENT_REGISTER_DEFINE(linekeeper, "linekeeper", GST_RANK_NONE, GST_TYPE_OFFHOOK_LINE_KEEPER)

namespace {

using namespace offhook::linekeeper;  // NOLINT(google-build-using-namespace): the C side of the
                                      // same element
using offhook::glib::guarded;

#define OFFHOOK_KEEPER_CAPS \
    "audio/x-raw, format=S16LE, rate={8000,16000}, channels=1, layout=interleaved"
GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(OFFHOOK_KEEPER_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(OFFHOOK_KEEPER_CAPS));

Keeper& keeper_of(gpointer object) {
    return *GST_OFFHOOK_LINE_KEEPER(object)->keeper;
}

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
    const GstFlowReturn result = guarded(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        keeper_of(parent).take(buffer);
        return GST_FLOW_OK;
    });
    gst_buffer_unref(buffer);
    return result;
}

// EOS and flush from upstream only mean that it has nothing more to say; our own stream does not
// end with it.
gboolean sink_event(GstPad*, GstObject* parent, GstEvent* event) {
    gboolean ok = TRUE;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        gint rate = 0;
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "rate", &rate);
        ok = static_cast<guint>(rate) == keeper_of(parent).rate_hz();
    }
    gst_event_unref(event);
    return ok;
}

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* q) {
    if (GST_QUERY_TYPE(q) != GST_QUERY_CAPS) return gst_pad_query_default(pad, parent, q);
    GstCaps* caps = gst_caps_new_simple("audio/x-raw",
                                        "format",
                                        G_TYPE_STRING,
                                        "S16LE",
                                        "rate",
                                        G_TYPE_INT,
                                        static_cast<gint>(keeper_of(parent).rate_hz()),
                                        "channels",
                                        G_TYPE_INT,
                                        1,
                                        "layout",
                                        G_TYPE_STRING,
                                        "interleaved",
                                        nullptr);
    gst_query_set_caps_result(q, caps);
    gst_caps_unref(caps);
    return TRUE;
}

gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* q) {
    if (GST_QUERY_TYPE(q) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, q);
    gst_query_set_latency(q, TRUE, 20 * GST_MSECOND, 40 * GST_MSECOND);
    return TRUE;
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar*, const GstCaps*) {
    if (keeper_of(element).has_given_voice()) return nullptr;
    if (GstPad* existing = gst_element_get_static_pad(element, "sink")) {
        gst_object_unref(existing);
        return nullptr;  // one voice
    }
    GstPad* pad = gst_pad_new_from_template(templ, "sink");
    gst_pad_set_chain_function(pad, chain);
    gst_pad_set_event_function(pad, sink_event);
    gst_pad_set_query_function(pad, sink_query);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element, pad);
    return pad;
}

void release_pad(GstElement* element, GstPad* pad) {
    gst_element_remove_pad(element, pad);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
        Keeper& keeper = keeper_of(element);
        if (transition == GST_STATE_CHANGE_NULL_TO_READY && !keeper.open())
            return GST_STATE_CHANGE_FAILURE;
        if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) keeper.stop();
        const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_offhook_line_keeper_parent_class)
                                                ->change_state(element, transition);
        if (result == GST_STATE_CHANGE_FAILURE) return result;
        switch (transition) {
            case GST_STATE_CHANGE_READY_TO_PAUSED:
            case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
                return GST_STATE_CHANGE_NO_PREROLL;
            case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
                return keeper.start() ? result : GST_STATE_CHANGE_FAILURE;
            case GST_STATE_CHANGE_READY_TO_NULL:
                keeper.close();
                return result;
            default:
                return result;
        }
    });
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
    Keeper& keeper = keeper_of(object);
    const std::lock_guard lock(keeper.settings_mutex);
    switch (id) {
        case kPropContext:
            keeper.settings.context =
                g_value_get_string(value) ? g_value_get_string(value) : "default";
            break;
        case kPropFill:
            keeper.settings.fill =
                g_value_get_string(value) ? g_value_get_string(value) : kDefaultFill;
            break;
        case kPropRate:
            keeper.settings.rate_hz = g_value_get_uint(value) >= 16000 ? 16000 : 8000;
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    Keeper& keeper = keeper_of(object);
    if (id == kPropRate) {
        g_value_set_uint(value, keeper.rate_hz());
        return;
    }
    const std::lock_guard lock(keeper.settings_mutex);
    switch (id) {
        case kPropContext:
            g_value_set_string(value, keeper.settings.context.c_str());
            break;
        case kPropFill:
            g_value_set_string(value, keeper.settings.fill.c_str());
            break;
        case kPropFrames:
            g_value_set_uint64(value, keeper.frames());
            break;
        case kPropFramesSkipped:
            g_value_set_uint64(value, keeper.frames_skipped());
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

void finalize(GObject* object) {
    delete GST_OFFHOOK_LINE_KEEPER(object)->keeper;
    G_OBJECT_CLASS(gst_offhook_line_keeper_parent_class)->finalize(object);
}

}  // namespace

static void gst_offhook_line_keeper_class_init(GstOffhookLineKeeperClass* klass) {
    auto* object_class = G_OBJECT_CLASS(klass);
    auto* element_class = GST_ELEMENT_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    element_class->change_state = change_state;
    element_class->request_new_pad = request_new_pad;
    element_class->release_pad = release_pad;
    const auto settable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
    const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_property(
        object_class,
        kPropContext,
        g_param_spec_string("context",
                            "Context",
                            "Media worker whose thread serves this element",
                            "default",
                            settable));
    g_object_class_install_property(
        object_class,
        kPropFill,
        g_param_spec_string(
            "fill",
            "Fill",
            "What is heard while nobody speaks: silence, comfort-noise, tone, file:PATH",
            kDefaultFill,
            settable));
    g_object_class_install_property(object_class,
                                    kPropRate,
                                    g_param_spec_uint("rate",
                                                      "Rate",
                                                      "Sample rate in Hz, 8000 or 16000",
                                                      8000,
                                                      16000,
                                                      kDefaultRateHz,
                                                      settable));
    g_object_class_install_property(
        object_class,
        kPropFrames,
        g_param_spec_uint64("frames", "Frames", "Frames pushed", 0, G_MAXUINT64, 0, readable));
    g_object_class_install_property(
        object_class,
        kPropFramesSkipped,
        g_param_spec_uint64("frames-skipped",
                            "Frames skipped",
                            "Frames given up after stalls of more than 60 ms",
                            0,
                            G_MAXUINT64,
                            0,
                            readable));
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class,
                                          "Line keeper",
                                          "Source/Audio",
                                          "One 20 ms frame every 20 ms, whatever happens upstream",
                                          "Offhook");
}

static void gst_offhook_line_keeper_init(GstOffhookLineKeeper* self) {
    GstPad* src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_query_function(src, src_query);
    gst_element_add_pad(GST_ELEMENT(self), src);
    self->keeper = new Keeper(GST_ELEMENT(self), src);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

namespace offhook::linekeeper {

void set_voice(GstElement* linekeeper,
               std::shared_ptr<model::AudioPort> port,
               std::shared_ptr<model::LegCounters> counters,
               const std::string& context) {
    Keeper& keeper = keeper_of(linekeeper);
    keeper.set_voice(std::move(port), std::move(counters));
    const std::lock_guard lock(keeper.settings_mutex);
    keeper.settings.context = context;
}

}  // namespace offhook::linekeeper
