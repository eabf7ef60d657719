#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <string>

#include "model/audio_port.h"
#include "model/leg_counters.h"

G_BEGIN_DECLS
#define GST_TYPE_OFFHOOK_LINE_KEEPER (gst_offhook_line_keeper_get_type())
G_DECLARE_FINAL_TYPE(
    GstOffhookLineKeeper, gst_offhook_line_keeper, GST, OFFHOOK_LINE_KEEPER, GstElement)
GST_ELEMENT_REGISTER_DECLARE(linekeeper)
G_END_DECLS

namespace offhook::linekeeper {

/// Whose sound is played (its rate becomes the element's), the leg's counters and the media worker.
/// In state NULL, on control.
void set_voice(GstElement* linekeeper,
               std::shared_ptr<model::AudioPort> port,
               std::shared_ptr<model::LegCounters> counters,
               const std::string& context);

}  // namespace offhook::linekeeper
