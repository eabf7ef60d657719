#include "media/media_bus.h"

#include <utility>

namespace offhook::media {
namespace {

std::string name_of(GstObject* object) {
    const glib::UniqueString name(gst_object_get_name(object));
    return name ? name.get() : "";
}

std::string top_name(GstObject* object) {
    auto at = glib::Ref<GstObject>::share(object);
    while (auto parent = glib::Ref<GstObject>::adopt(gst_object_get_parent(at.get()))) at = parent;
    return name_of(at.get());
}

}  // namespace

MediaBus::MediaBus(base::Executor& control, Events events)
    : bus_(glib::Ref<GstBus>::adopt(
          static_cast<GstBus*>(g_object_new(GST_TYPE_BUS, "enable-async", FALSE, nullptr)))),
      control_(control),
      events_(std::move(events)) {
    gst_bus_set_sync_handler(
        bus_.get(),
        [](GstBus*, GstMessage* message, gpointer self) {
            static_cast<MediaBus*>(self)->handle(message);
            gst_message_unref(message);
            return GST_BUS_DROP;
        },
        this,
        nullptr);
}

MediaBus::~MediaBus() {
    gst_bus_set_sync_handler(bus_.get(), nullptr, nullptr, nullptr);
}

void MediaBus::handle(GstMessage* message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError* error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        control_.post([this,
                       pipeline = top_name(GST_MESSAGE_SRC(message)),
                       element = name_of(GST_MESSAGE_SRC(message)),
                       text = std::string(error ? error->message : "unknown")] {
            events_.on_error(pipeline, element, text);
        });
        g_clear_error(&error);
        return;
    }
    const GstStructure* s = gst_message_get_structure(message);
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT || !s ||
        !gst_structure_has_name(s, "offhook-dtmf"))
        return;
    const gchar* digit = gst_structure_get_string(s, "digit");
    guint duration_ms = 0;
    gst_structure_get_uint(s, "duration-ms", &duration_ms);
    control_.post([this,
                   pipeline = top_name(GST_MESSAGE_SRC(message)),
                   digit = digit ? digit[0] : '?',
                   duration_ms] { events_.on_digit(pipeline, digit, duration_ms); });
}

}  // namespace offhook::media
