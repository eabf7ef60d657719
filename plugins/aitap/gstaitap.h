#pragma once

#include <gst/gst.h>

#include <memory>

#include "model/audio_port.h"
#include "model/leg_counters.h"

G_BEGIN_DECLS
#define GST_TYPE_OFFHOOK_AI_TAP (gst_offhook_ai_tap_get_type())
G_DECLARE_FINAL_TYPE(GstOffhookAiTap, gst_offhook_ai_tap, GST, OFFHOOK_AI_TAP, GstElement)
GST_ELEMENT_REGISTER_DECLARE(aitap)
G_END_DECLS

namespace offhook::aitap {

/// Where the copy goes, and the counters of the leg. In state NULL, on control.
void set_port(GstElement* aitap,
              std::shared_ptr<model::AudioPort> port,
              std::shared_ptr<model::LegCounters> counters);

}  // namespace offhook::aitap
