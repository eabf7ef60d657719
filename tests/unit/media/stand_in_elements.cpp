#include "stand_in_elements.h"

#include <gst/gst.h>

#include <initializer_list>

namespace offhook::media::testing {
namespace {

constexpr const char* kPcm =
    "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={8000,16000}";
constexpr const char* kPcmOrRtp =
    "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={8000,16000}; application/x-rtp";

struct StandIn {
    const char* factory;
    const char* type;
    const char* sink_caps;  ///< null: no sink pad
    const char* src_caps;
    bool src_sometimes;
};

constexpr StandIn kStandIns[] = {
    {"rtpcallsrc", "StandInRtpCallSrc", nullptr, kPcmOrRtp, false},
    {"aitap", "StandInAiTap", kPcm, kPcm, false},
    {"linekeeper", "StandInLineKeeper", kPcm, kPcm, false},
    {"rtpcallsink", "StandInRtpCallSink", kPcmOrRtp, nullptr, false},
    {"callstats", "StandInCallStats", "ANY", "ANY", false},
    {"sometimespads", "StandInSometimesPads", "ANY", "ANY", true},
};

void set_property(GObject*, guint, const GValue*, GParamSpec*) {}

void add_property(GObjectClass* klass, guint id, GParamSpec* spec) {
    g_object_class_install_property(klass, id, spec);
}

void add_pad_template(GstElementClass* element,
                      const char* name,
                      GstPadDirection direction,
                      GstPadPresence presence,
                      const char* caps) {
    if (caps == nullptr) return;
    GstCaps* parsed = gst_caps_from_string(caps);
    gst_element_class_add_pad_template(element,
                                       gst_pad_template_new(name, direction, presence, parsed));
    gst_caps_unref(parsed);
}

void class_init(gpointer klass, gpointer data) {
    const auto* stand_in = static_cast<const StandIn*>(data);
    auto* element = GST_ELEMENT_CLASS(klass);
    auto* object = G_OBJECT_CLASS(klass);
    object->set_property = set_property;
    const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
    add_property(object, 1, g_param_spec_string("output", "", "", nullptr, flags));
    add_property(object, 2, g_param_spec_string("fill", "", "", nullptr, flags));
    add_property(object, 3, g_param_spec_int("rate", "", "", 8000, 16000, 8000, flags));
    add_property(object, 4, g_param_spec_int("port", "", "", 0, 65535, 0, flags));
    gst_element_class_set_static_metadata(
        element, stand_in->factory, "Test", "stands in", "Offhook");
    add_pad_template(element, "sink", GST_PAD_SINK, GST_PAD_ALWAYS, stand_in->sink_caps);
    add_pad_template(element,
                     stand_in->src_sometimes ? "src_%u" : "src",
                     GST_PAD_SRC,
                     stand_in->src_sometimes ? GST_PAD_SOMETIMES : GST_PAD_ALWAYS,
                     stand_in->src_caps);
}

void instance_init(GTypeInstance* instance, gpointer klass) {
    for (const char* name : {"sink", "src"}) {
        GstPadTemplate* pad = gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), name);
        if (pad != nullptr)
            gst_element_add_pad(GST_ELEMENT(instance), gst_pad_new_from_template(pad, name));
    }
}

}  // namespace

void register_stand_in_elements() {
    for (const StandIn& stand_in : kStandIns) {
        GTypeQuery parent{};
        g_type_query(GST_TYPE_ELEMENT, &parent);
        const GTypeInfo info{static_cast<guint16>(parent.class_size),
                             nullptr,
                             nullptr,
                             class_init,
                             nullptr,
                             &stand_in,
                             static_cast<guint16>(parent.instance_size),
                             0,
                             instance_init,
                             nullptr};
        const GType type = g_type_register_static(
            GST_TYPE_ELEMENT, stand_in.type, &info, static_cast<GTypeFlags>(0));
        gst_element_register(nullptr, stand_in.factory, GST_RANK_NONE, type);
    }
}

}  // namespace offhook::media::testing
