#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "model/call_end.h"
#include "model/call_id.h"
#include "model/leg_quirks.h"
#include "model/sdp_offer.h"

namespace offhook::model {

/// A call that somebody else wants with us. Strings are bounded (<= 256 bytes) and NOT yet escaped.
struct IncomingCall {
    CallId id;
    std::string sip_call_id;
    std::string from_uri;
    std::string from_user;
    std::string from_display_name;
    std::string to_uri;   ///< the Request-URI
    std::string to_user;  ///< its user part; what `[[route]] to` is matched with
    std::string peer;     ///< "udp:127.0.0.1:5070", where the request came from
    std::string user_agent;
    std::string local_address;  ///< numeric host the request came to: our side of its flow
    LegQuirks quirks;           ///< of the account the call came on
    std::optional<RemoteSdp>
        offer;  ///< empty: offerless INVITE, our 200 carries the offer (RFC 3264 §4)
};

/// What signalling tells the call room. Every method runs on the control thread.
class SignallingEvents {
public:
    virtual ~SignallingEvents() = default;

    /// A new call; 100 is already sent. Ends in exactly one `answer` or `reject`, or in `on_ended`.
    virtual void on_incoming(IncomingCall call) = 0;
    /// Our first 200 has just been handed to the socket: media must start now. Not repeated for
    /// re-INVITEs.
    virtual void on_answer_sent(const CallId& id) = 0;
    /// The ACK to the first 200 came; `answer` is set when our 200 carried the offer, and then has
    /// usable audio (a call whose ACK has none is hung up as NotAcceptable). Comes again only with
    /// the answer to an offerless re-INVITE, and with the description that stays in force when a
    /// re-INVITE is cancelled after `on_reoffer`.
    virtual void on_confirmed(const CallId& id, std::optional<RemoteSdp> answer) = 0;
    /// A re-INVITE (hold, resume, moved address); ends in one `answer` or `reject`. Empty: it had
    /// no SDP, we offer.
    virtual void on_reoffer(const CallId& id, std::optional<RemoteSdp> offer) = 0;
    /// The dialog is over (BYE, CANCEL, time-out, transport). Comes exactly once for each
    /// on_incoming that was not rejected by us, also after our own `hangup`.
    virtual void on_ended(const CallId& id, CallEnd end) = 0;
};

/// What the call room asks of signalling. Every method returns at once and does nothing for an id
/// that is gone.
/// @thread any (control in practice)
class Signalling {
public:
    virtual ~Signalling() = default;

    /// Sends 180 for a pending INVITE.
    virtual void ring(const CallId& id) = 0;
    /// Sends 200 with `sdp` for the pending INVITE or re-INVITE.
    virtual void answer(const CallId& id, LocalSdp sdp) = 0;
    /// Sends a final non-2xx (400-699) for the pending INVITE or re-INVITE. `retry_after` adds
    /// Retry-After.
    virtual void reject(const CallId& id,
                        int status,
                        std::string reason_phrase,
                        std::optional<std::chrono::seconds> retry_after = std::nullopt) = 0;
    /// Ends the call: BYE once confirmed, 480 while pending. `why` comes back in `on_ended`;
    /// `reason_header` goes into the Reason header (RFC 3326) when not empty.
    virtual void hangup(const CallId& id, CallEnd why, std::string reason_header = {}) = 0;
    /// While true, OPTIONS gets 503 with Retry-After, so that a proxy's health check looks
    /// elsewhere. INVITEs still come up: the call room rejects them.
    virtual void set_draining(bool draining) = 0;
};

}  // namespace offhook::model
