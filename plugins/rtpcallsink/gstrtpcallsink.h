#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "model/audio_port.h"
#include "session/rtp_session.h"

G_BEGIN_DECLS
#define GST_TYPE_OFFHOOK_RTP_CALL_SINK (gst_offhook_rtp_call_sink_get_type())
G_DECLARE_FINAL_TYPE(
    GstOffhookRtpCallSink, gst_offhook_rtp_call_sink, GST, OFFHOOK_RTP_CALL_SINK, GstElement)
GST_ELEMENT_REGISTER_DECLARE(rtpcallsink)
G_END_DECLS

namespace offhook::rtpcallsink {

/// Gives the element its leg's session. In state NULL, on control.
void set_session(GstElement* rtpcallsink,
                 std::shared_ptr<session::RtpSession> session,
                 const std::string& context);

/// Where to tell which samples left, and how loud. In state NULL, on control.
void set_port(GstElement* rtpcallsink, std::shared_ptr<model::AudioPort> port);

/// Queues RFC 4733 digits. @return false when the peer takes none, or a digit is not one. @thread
/// the media worker
bool send_digits(GstElement* rtpcallsink, const std::string& digits);

/// The last RTCP report, with BYE. @thread the media worker
void send_bye(GstElement* rtpcallsink);

}  // namespace offhook::rtpcallsink
