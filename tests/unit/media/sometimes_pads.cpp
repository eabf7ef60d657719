#include "sometimes_pads.h"

#include <gst/gst.h>

namespace offhook::media::testing {
namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src_%u", GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS_ANY);

void class_init(gpointer klass, gpointer) {
    auto* element = GST_ELEMENT_CLASS(klass);
    gst_element_class_set_static_metadata(element, "sometimespads", "Test", "stands in", "Offhook");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
}

void instance_init(GTypeInstance* instance, gpointer) {
    gst_element_add_pad(GST_ELEMENT(instance),
                        gst_pad_new_from_static_template(&sink_template, "sink"));
}

}  // namespace

void register_sometimes_pads() {
    GTypeQuery parent{};
    g_type_query(GST_TYPE_ELEMENT, &parent);
    const GTypeInfo info{static_cast<guint16>(parent.class_size),
                         nullptr,
                         nullptr,
                         class_init,
                         nullptr,
                         nullptr,
                         static_cast<guint16>(parent.instance_size),
                         0,
                         instance_init,
                         nullptr};
    const GType type = g_type_register_static(
        GST_TYPE_ELEMENT, "OffhookTestSometimesPads", &info, static_cast<GTypeFlags>(0));
    gst_element_register(nullptr, "sometimespads", GST_RANK_NONE, type);
}

}  // namespace offhook::media::testing
