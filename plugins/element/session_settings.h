#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "session/rtp_session.h"

namespace offhook::element {

/// The properties that rtpcallsrc and rtpcallsink share, and the RTP session made from them. The
/// daemon hands each pair its session directly (`set_session`); with gst-launch the two find each
/// other by the `session` property.
///
/// | property | meaning | default |
/// |---|---|---|
/// | context | media worker whose thread serves the element | "default" |
/// | session | name under which two elements share sockets and SSRC; empty: one of its own | "" |
/// | address, port | where to bind; port 0: chosen by the kernel (even, with the next for RTCP) |
/// "127.0.0.1", 0 | | remote-address, remote-port | where to send until the peer has shown its
/// address | "127.0.0.1", 0 = nowhere yet | | codec | pcmu, pcma, g722, opus | pcmu | |
/// payload-type | number on the wire, -1: the codec's usual one | -1 | | telephone-event-type | RFC
/// 4733 number, -1: none | 101 |
///
/// Properties may be set in NULL and READY; the session is made when the element goes to READY.
class SessionSettings {
public:
    /// Installs the properties under the ids `first_id` ... @return the next free id
    static guint install(GObjectClass* object_class, guint first_id);

    /// @return false when `id` is not one of ours
    bool set(guint id, guint first_id, const GValue* value);
    bool get(guint id, guint first_id, GValue* value) const;

    void set_session(std::shared_ptr<session::RtpSession> session, std::string context);

    /// The session in force, made when there is none. @thread the one that changes state
    [[nodiscard]] base::Result<std::shared_ptr<session::RtpSession>> open();
    void close();

    [[nodiscard]] std::string context() const;
    [[nodiscard]] std::shared_ptr<session::RtpSession> session() const;

private:
    struct Values {
        std::string context = "default";
        std::string session;
        std::string address = "127.0.0.1";
        guint port = 0;
        std::string remote_address = "127.0.0.1";
        guint remote_port = 0;
        gint codec = 0;
        gint payload_type = -1;
        gint telephone_event_type = 101;
    };
    [[nodiscard]] static base::Result<std::shared_ptr<session::RtpSession>> make(
        const Values& values);

    mutable std::mutex mutex_;
    Values values_;
    std::shared_ptr<session::RtpSession> session_;
    bool is_given_ = false;
};

/// The counters of a session as a structure for the `stats` property.
[[nodiscard]] GstStructure* stats_structure(const session::RtpSession* session);

}  // namespace offhook::element
