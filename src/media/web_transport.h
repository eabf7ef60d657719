#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "media/reaper.h"
#include "media/web_settings.h"
#include "model/call_end.h"
#include "model/leg_path.h"
#include "model/sdp_offer.h"
#include "sdp/web_remote.h"
#include "session/web_port.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// One webrtcbin and what 1.22's needs to be trusted: one ICE session, one DTLS certificate of its
/// own, one remote fingerprint. An ICE restart makes a new one; the leg, its SSRC and its chains
/// stay.
///
///     peer --UDP--> nicesrc, DTLS, SRTP, rtpsession --probe--> WebPort (only once verified)
///     peer <--UDP-- nicesink, SRTP, rtpsession <--- a pad of ours <--- WebPort::Out (worker)
///
/// Nothing passes in either direction before the peer's certificate was hashed and found in the
/// description (RFC 8827 §6.5).
///
/// Threads: made, asked and told on control; events come on control by the executor, never after
/// `retire`. `Out::send` is the worker's. webrtcbin's own threads end inside.
/// Teardown: `retire` detaches from the port (acknowledged by the worker), then the reaper takes
/// webrtcbin to NULL.
class WebTransport : public std::enable_shared_from_this<WebTransport> {
public:
    struct Events {
        /// Gathering is complete, or its limit passed.
        std::function<void(sdp::WebLocal)> on_local;
        /// ICE and DTLS are up and the fingerprint matches. The port is not attached yet.
        std::function<void()> on_verified;
        /// IceFailed, DtlsFailed, FingerprintMismatch, WebTimeout, PeerVanished (from `on_lost` on
        /// for `vanish_end`), PipelineError. Comes once; then only `retire` makes sense.
        std::function<void(model::CallEnd)> on_failed;
        /// Nothing was heard of the peer for `vanish_after`; and when it is back.
        std::function<void(bool is_lost)> on_lost;
    };
    struct Parts {
        std::string name;  ///< call id, for messages and the pipeline's name
        const WebSettings* settings = nullptr;
        base::Executor* control = nullptr;
        GMainContext* context = nullptr;  ///< control's, for timers
        std::shared_ptr<session::WebPort> port;
        std::uint32_t ssrc = 0;  ///< what we send under
        Events events;
    };
    /// @errors Internal: an element is missing (says which Debian package has it), no certificate
    [[nodiscard]] static base::Result<std::shared_ptr<WebTransport>> create(Parts parts);
    virtual ~WebTransport() = default;

    /// We answer: `on_local` follows.
    virtual void accept(const sdp::WebRemote& offer, const model::ChosenAudio& chosen) = 0;
    /// We offer, `chosen` being what webrtcbin is told (its payload number may change with the
    /// answer): `on_local` follows, then `take_answer`.
    virtual void offer(const model::ChosenAudio& chosen) = 0;
    virtual void take_answer(const sdp::WebRemote& answer, const model::ChosenAudio& chosen) = 0;
    /// Trickled (RFC 8838); already let by the rules.
    virtual void add_candidates(const std::vector<std::string>& candidates) = 0;

    /// From here on the port's packets leave here, and ours come in. Posted to `worker`.
    virtual void attach(worker::MediaWorker& worker) = 0;
    /// Candidates, the pair in use, ICE and DTLS; of the description only what the transport knows.
    [[nodiscard]] virtual model::LegPath path() { return {}; }
    /// Ends it, attached or not; `after` runs on the reaper.
    virtual void retire(worker::MediaWorker& worker,
                        Reaper& reaper,
                        std::function<void()> after) = 0;

    /// Generates what the first webrtcbin of a process would wait 300 ms for, on a thread of its
    /// own. Once, at start; the thread has to end before the process does, whose libraries it uses.
    [[nodiscard]] static std::jthread warm_up();
};

}  // namespace offhook::media
