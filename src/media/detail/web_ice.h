#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "glib/ref.h"
#include "media/web_settings.h"
#include "model/leg_path.h"

namespace offhook::media::detail {

/// The ICE agent inside one webrtcbin (libnice): what it gathers from, and whether the peer's agent
/// still answers.
/// @thread control
class WebIce {
public:
    /// @errors Internal: webrtcbin has no agent that we know
    [[nodiscard]] static base::Result<WebIce> of(GstElement* webrtcbin);

    /// Before any description is set: addresses, ports, servers; UDP only, no UPnP.
    /// @param remote  the peer's candidates, as far as they are known
    /// @errors InvalidArgument: an address or a server's URL cannot be used
    [[nodiscard]] base::Result<void> configure(GstElement* webrtcbin,
                                               const WebSettings& settings,
                                               const std::vector<std::string>& remote);

    /// Notes what came since the last call. @return CLOCK_MONOTONIC of the last datagram that a
    /// socket of ours took, whatever it was; 0: none since the first call
    [[nodiscard]] std::int64_t heard_ns();
    /// Writes candidates, the selected pair and our role into `path`.
    void describe(model::LegPath& path) const;
    /// Sends the peer's agent a Binding request by the selected pair (RFC 7675 §5.1 asks the same).
    /// libnice does not know it and drops the response, of which `heard_ns` tells.
    void ask(const std::string& remote_ufrag,
             const std::string& remote_pwd,
             const std::string& local_ufrag);

    /// Gives relayed addresses back to their TURN servers (RFC 8656 §8.1), which would keep them for
    /// ten minutes otherwise. Waits for their answer, at most `limit`. @thread one that may wait
    void give_back(std::chrono::milliseconds limit);

    [[nodiscard]] GObject* agent() const { return agent_.get(); }

private:
    glib::Ref<GObject> ice_;    ///< GstWebRTCICE
    glib::Ref<GObject> agent_;  ///< NiceAgent
    bool has_relays_ = false;
    std::int64_t stamp_ns_ = 0;  ///< of the last datagram, wall clock
    std::int64_t polled_ns_ = 0;
    std::int64_t heard_ns_ = 0;
};

/// The connection address of a candidate ("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host");
/// empty when there is none.
[[nodiscard]] std::string_view address_of(std::string_view candidate);

/// The addresses to gather from when none are configured: those of all interfaces that are up and
/// can be reached from elsewhere, <= 8. Loopback as well when the peer is there, and loopback alone
/// when it is nowhere else or we are.
[[nodiscard]] std::vector<std::string> addresses_for(const std::vector<std::string>& remote);

/// An ICE server as GStreamer writes it: "turn://user:secret@host:port?transport=udp", user and
/// secret escaped.
/// @errors InvalidArgument
[[nodiscard]] base::Result<std::string> uri_of(const IceServer& server);

}  // namespace offhook::media::detail
