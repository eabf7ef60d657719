#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "session/rtp_session.h"

G_BEGIN_DECLS
#define GST_TYPE_OFFHOOK_RTP_CALL_SRC (gst_offhook_rtp_call_src_get_type())
G_DECLARE_FINAL_TYPE(
    GstOffhookRtpCallSrc, gst_offhook_rtp_call_src, GST, OFFHOOK_RTP_CALL_SRC, GstElement)
GST_ELEMENT_REGISTER_DECLARE(rtpcallsrc)
G_END_DECLS

namespace offhook::rtpcallsrc {

/// Gives the element its leg's session and the name of its media worker. In state NULL, on control.
void set_session(GstElement* rtpcallsrc,
                 std::shared_ptr<session::RtpSession> session,
                 const std::string& context);

}  // namespace offhook::rtpcallsrc
