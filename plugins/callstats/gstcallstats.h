#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define GST_TYPE_OFFHOOK_CALL_STATS (gst_offhook_call_stats_get_type())
G_DECLARE_FINAL_TYPE(
    GstOffhookCallStats, gst_offhook_call_stats, GST, OFFHOOK_CALL_STATS, GstElement)
GST_ELEMENT_REGISTER_DECLARE(callstats)
G_END_DECLS
