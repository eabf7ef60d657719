#include "offhook_plugin.h"

#include <gst/gst.h>

#include "aitap/gstaitap.h"
#include "callstats/gstcallstats.h"
#include "linekeeper/gstlinekeeper.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "rtpcallsrc/gstrtpcallsrc.h"

#define PACKAGE "offhook"

namespace {

gboolean plugin_init(GstPlugin* plugin) {
    gboolean ok = TRUE;
    ok &= GST_ELEMENT_REGISTER(rtpcallsrc, plugin);
    ok &= GST_ELEMENT_REGISTER(aitap, plugin);
    ok &= GST_ELEMENT_REGISTER(linekeeper, plugin);
    ok &= GST_ELEMENT_REGISTER(rtpcallsink, plugin);
    ok &= GST_ELEMENT_REGISTER(callstats, plugin);
    return ok;
}

}  // namespace

namespace offhook {

bool register_elements() {
    return gst_plugin_register_static(GST_VERSION_MAJOR,
                                      GST_VERSION_MINOR,
                                      "offhook",
                                      "Keeps a phone line alive",
                                      plugin_init,
                                      OFFHOOK_VERSION,
                                      "MIT/X11",
                                      PACKAGE,
                                      PACKAGE,
                                      "https://offhook.invalid") != FALSE;
}

}  // namespace offhook

#ifdef OFFHOOK_SHARED_PLUGIN
extern "C" {
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR,
                  GST_VERSION_MINOR,
                  offhook,
                  "Keeps a phone line alive",
                  plugin_init,
                  OFFHOOK_VERSION,
                  "MIT/X11",
                  PACKAGE,
                  "https://offhook.invalid")
}
#endif
