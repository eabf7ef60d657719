#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/account.h"
#include "model/call_end.h"
#include "model/call_facts.h"
#include "model/call_id.h"
#include "model/channel.h"
#include "model/leg_quirks.h"
#include "model/sdp_offer.h"

namespace offhook::model {

class Signalling;

/// A call that somebody else wants with us. Strings are bounded (<= 256 bytes) and NOT yet escaped.
struct IncomingCall {
    CallId id;
    std::string account;  ///< whose registered flow it came on; empty: a listener
    CallFacts facts;
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
    std::vector<Codec> codecs;  ///< of the account, by preference; empty: `[rtp] codecs`
    std::optional<RemoteSdp>
        offer;  ///< empty: offerless INVITE, our 200 carries the offer (RFC 3264 §4)
    std::optional<ChannelPlace> place;  ///< it is a member's leg: no route, no AI of its own
    Signalling* via = nullptr;  ///< who brought it and takes its commands; null: the SIP room
};

/// An INVITE outside any dialog that signalling refused by itself. As in IncomingCall.
struct RefusedInvite {
    int status = 0;  ///< 400-699
    std::string account, sip_call_id, from_uri, to_uri, peer, user_agent;
};

/// A call we place. @see Signalling::place_call
struct OutgoingCall {
    CallId id;
    std::string account;  ///< whose flow and identity
    std::string to;       ///< SIP URI, or a user part that gets the account's domain
    LocalSdp offer;
    std::chrono::seconds ring_timeout{60};                     ///< then CANCEL
    std::vector<std::pair<std::string, std::string>> headers;  ///< checked by the caller of this
    // Of a call placed because a REFER asked for it; from the network, not escaped.
    std::string referred_by;  ///< Referred-By (RFC 3892); empty: none
    std::string replaces;     ///< Replaces (RFC 3891), "call-id;to-tag=..;from-tag=.."; empty: none
};

/// What signalling knows of a call of ours once its INVITE left. As in IncomingCall.
struct PlacedCall {
    std::string sip_call_id;
    std::string from_uri;
    std::string peer;
    std::string local_address;
    LegQuirks quirks;
};

/// Where somebody asks us to go (REFER received), or where we send our peer (REFER sent).
struct Transfer {
    std::string target;       ///< SIP URI without its Replaces header
    std::string referred_by;  ///< received only
    std::string replaces;     ///< received: the Replaces value (RFC 3891), unescaped; may be empty
    CallId replaces_call;  ///< sent: the call of ours whose dialog the target replaces (attended)
};

/// A page-mode message (RFC 3428), inside a call or outside. <= 16 KiB of body.
struct TextMessage {
    CallId call;          ///< empty: outside any call
    std::string account;  ///< whose flow; taken from the call when there is one
    std::string from, to;
    std::string content_type = "text/plain";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Something to ask of RingCentral about a call of one of its WebPhones.
struct ControlOrder {
    /// Cmd of a call-control message; 0: `body` by INFO.
    int command = 0;
    std::vector<std::pair<std::string, std::string>> attributes{};  ///< of its Bdy, beside ours
    std::string body{};                                             ///< JSON
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
    /// the answer to an offerless re-INVITE, with an answer to a refresh of ours that changed
    /// something, and with the description that stays in force when a re-INVITE is cancelled after
    /// `on_reoffer`.
    virtual void on_confirmed(const CallId& id, std::optional<RemoteSdp> answer) = 0;
    /// A re-INVITE (hold, resume, moved address); ends in one `answer` or `reject` with this
    /// `exchange`, or is forgotten when the peer cancels it. Empty: it had no SDP, we offer.
    virtual void on_reoffer(const CallId& id,
                            std::optional<RemoteSdp> offer,
                            std::uint32_t exchange) = 0;
    /// The dialog is over (BYE, CANCEL, time-out, transport). Comes exactly once for each
    /// on_incoming that was not rejected by us, also after our own `hangup`. A final answer to an
    /// INVITE of ours comes as `ended_by_status`; a BYE or CANCEL brings its Reason headers in
    /// `peer_reasons`.
    virtual void on_ended(const CallId& id, CallEnd end) = 0;

    /// Candidates of the peer that came after its description (RFC 8838), "candidate:..." values;
    /// web legs only. `is_end`: there will be no more.
    virtual void on_candidates(const CallId& /*id*/,
                               std::vector<std::string> /*candidates*/,
                               bool /*is_end*/) {}

    /// An INVITE got its final answer from signalling alone: no `on_incoming` comes for it.
    virtual void on_refused(RefusedInvite /*refused*/) {}

    // calls we placed

    /// The INVITE left.
    virtual void on_placed(const CallId& /*id*/, PlacedCall /*placed*/) {}
    /// 180 or 183 came; `early` is set when it brought a description (and was acknowledged by PRACK
    /// when it asked for that).
    virtual void on_progress(const CallId& /*id*/,
                             int /*status*/,
                             std::optional<RemoteSdp> /*early*/) {}
    /// The far end answered, the ACK is sent: media must start now. Of several forks that answer,
    /// the first is this call; the others are ended by us.
    virtual void on_accepted(const CallId& /*id*/, RemoteSdp /*answer*/) {}

    // inside a call

    /// How our own `reoffer` ended: the answer that is in force now, or the status that refused it
    /// (408 no answer, 491 glare after our one retry) and everything stays as it was.
    virtual void on_reoffer_done(const CallId& /*id*/,
                                 int /*status*/,
                                 std::optional<RemoteSdp> /*answer*/) {}
    /// A digit by INFO (application/dtmf-relay, application/dtmf).
    virtual void on_info_digit(const CallId& /*id*/, char /*digit*/, unsigned /*duration_ms*/) {}
    /// Any other INFO body, already answered 200 (<= 16 KiB).
    virtual void on_info(const CallId& /*id*/, std::string /*content_type*/, std::string /*body*/) {
    }
    /// The final status of the request of `order_control` (408: none came, 481: no such call, or
    /// none with call control). What RingCentral made of it comes later: CANCEL, BYE, `on_info`.
    virtual void on_control_done(const CallId& /*id*/, std::uint64_t /*tag*/, int /*status*/) {}
    /// RingCentral's call control says something about a call: Cmd, 1 to 9 of those known.
    virtual void on_control(const CallId& /*id*/, int /*command*/) {}
    /// The peer asks us to call somebody else (REFER, answered 202). Ends in exactly one
    /// `accept_transfer` or `refuse_transfer`.
    virtual void on_transfer_requested(const CallId& /*id*/, Transfer /*transfer*/) {}
    /// Progress of our own `transfer`: the status the far end reports by NOTIFY, or that of the
    /// REFER itself when it was refused. Final once `status` >= 200.
    virtual void on_transfer_progress(const CallId& /*id*/, int /*status*/) {}

    // beside calls

    virtual void on_message(TextMessage /*message*/) {}
    /// The final status of `send_message` (408: none came).
    virtual void on_message_done(std::uint64_t /*tag*/, int /*status*/) {}
    /// An account's state changed; also every time its next try or expiry moved.
    virtual void on_account(AccountInfo /*account*/) {}
};

/// What the call room asks of signalling. Every method returns at once and does nothing for an id
/// that is gone.
/// @thread any (control in practice)
class Signalling {
public:
    virtual ~Signalling() = default;

    /// Sends 180 for a pending INVITE.
    virtual void ring(const CallId& id) = 0;
    /// Sends 200 with `sdp` for the pending INVITE (`exchange` 0) or re-INVITE. An answer that comes
    /// after its re-INVITE was cancelled does nothing, whatever waits by then.
    virtual void answer(const CallId& id, LocalSdp sdp, std::uint32_t exchange = 0) = 0;
    /// Sends a final non-2xx (400-699) for the pending INVITE or re-INVITE. `retry_after` adds
    /// Retry-After.
    virtual void reject(const CallId& id,
                        int status,
                        std::string reason_phrase,
                        std::optional<std::chrono::seconds> retry_after = std::nullopt,
                        std::uint32_t exchange = 0) = 0;
    /// Ends the call: BYE once confirmed, 480 while pending. `why` comes back in `on_ended`;
    /// `reason_header` goes into the Reason header (RFC 3326) when not empty.
    virtual void hangup(const CallId& id, CallEnd why, std::string reason_header = {}) = 0;
    /// While true, OPTIONS gets 503 with Retry-After, so that a proxy's health check looks
    /// elsewhere. INVITEs still come up: the call room rejects them.
    virtual void set_draining(bool draining) = 0;

    // Commands below do nothing, and report a failed outcome where there is one, when the id or the
    // account is gone.

    /// Sends INVITE on the account's flow. Ends in `on_accepted` and later `on_ended`, or in
    /// `on_ended` alone.
    virtual void place_call(OutgoingCall /*call*/) {}
    /// re-INVITE with a new description of ours (hold, resume, moved address).
    virtual void reoffer(const CallId& /*id*/, LocalSdp /*sdp*/) {}
    /// Sends REFER: blind, or attended when `replaces_call` is set.
    virtual void transfer(const CallId& /*id*/, Transfer /*transfer*/) {}
    /// Answers a REFER received: `placed` is the call made for it, whose progress the subscription
    /// reports by NOTIFY.
    virtual void accept_transfer(const CallId& /*id*/, const CallId& /*placed*/) {}
    virtual void refuse_transfer(const CallId& /*id*/, int /*status*/) {}
    /// Digits by INFO application/dtmf-relay, for peers without telephone-event.
    virtual void send_info_digits(const CallId& /*id*/, std::string /*digits*/) {}
    virtual void send_info(const CallId& /*id*/,
                           std::string /*content_type*/,
                           std::string /*body*/) {}
    /// `tag` comes back in `on_control_done`.
    virtual void order_control(const CallId& /*id*/,
                               std::uint64_t /*tag*/,
                               ControlOrder /*order*/) {}
    /// `tag` comes back in `on_message_done`.
    virtual void send_message(std::uint64_t /*tag*/, TextMessage /*message*/) {}
};

}  // namespace offhook::model
