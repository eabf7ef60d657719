#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::model {

/// Whose doing the end was. Bounded: it is a metric label. `Callee` is the far end of a call that
/// we placed, `Caller` that of one that came in; `Upstream` is the PBX or the network between.
enum class EndClass : std::uint8_t { Success, Caller, Callee, Config, Policy, Upstream, Internal };

/// Why, in one word of a bounded set (metric label, API field, log field). Decided where it
/// happened.
enum class EndReason : std::uint8_t {
    // ended as calls end
    CallerHangup,  ///< BYE from the peer; signalling says so for both directions
    CalleeHangup,  ///< the same of a call that we placed
    ApiHangup,     ///< POST /api/v1/calls/{id}/hangup
    AiHangup,
    Transferred,        ///< we sent the peer elsewhere, or went where it sent us; it worked
    Replaced,           ///< another dialog took the place of this one (RFC 3891)
    AnsweredElsewhere,  ///< CANCEL with Reason SIP;cause=200 (RFC 3326): another phone has it
    SentToVoicemail,    ///< RingCentral took it there, as it was told to; so with those below
    Forwarded,
    Declined,
    Replied,  ///< the caller was told our text
    // the peer's doing
    CallerCancelled,   ///< CANCEL before the answer
    RtpTimeout,        ///< the peer's RTP stopped for `[rtp] timeout_s`
    AckTimeout,        ///< no ACK for our 200 within 64*T1 (RFC 3261 §13.3.1.4)
    NotAcceptable,     ///< 488: no codec in common, or no audio
    Malformed,         ///< 400: not an INVITE we can read
    UnsupportedMedia,  ///< 415
    BadExtension,      ///< 420
    NoSuchDialog,      ///< 481: Replaces names no call of ours
    // calls that we placed: what the far end or the PBX made of them
    Busy,             ///< 486, 600
    Rejected,         ///< 603, 607, 608
    NotFound,         ///< 404, 410, 484, 485, 604
    TemporarilyAway,  ///< 480
    NoAnswer,         ///< it rang for the whole `ring_timeout_s`, or 487 without our doing
    MediaRefused,     ///< 406, 415, 488, 606, or an answer that cannot be used
    AuthFailed,       ///< 401, 407 that our credentials did not satisfy
    Forbidden,        ///< 403
    Redirected,       ///< 3xx: not followed
    UpstreamRefused,  ///< every other 4xx and 6xx
    UpstreamFailed,   ///< 5xx
    NoResponse,       ///< 408, or nothing at all within 64*T1
    AccountDown,      ///< the account has no flow to send on
    // ours
    Drained,     ///< the drain timeout or a second SIGTERM
    NoRoute,     ///< 404
    LimitCalls,  ///< 503: `max_calls`, media worker late, draining
    LimitPorts,  ///< 503: no RTP port left
    NotAllowed,  ///< 403: a transfer or a replacement that policy does not allow
    // between
    TransportLost,
    SessionTimer,  ///< no refresh came in time, or ours was not answered (RFC 4028 §10)
    DialogLost,    ///< 481 to a request of ours: the peer does not know the call any more
    Diverted,      ///< taken away as a PBX does with a call that it believes has no media
    AiLost,        ///< the call's bot stayed away, and no fallback was left
    // web legs
    IceFailed,            ///< no pair of candidates worked
    DtlsFailed,           ///< the handshake did not end well
    FingerprintMismatch,  ///< the certificate in DTLS is not the one of the description: somebody
                          ///< sits between, or the description is wrong
    WebTimeout,           ///< not connected and verified in time
    PeerVanished,         ///< nothing was heard of the peer, and it did not come back
    // inside
    PipelineError,
    InternalError,
};

/// One value of a Reason header (RFC 3326).
struct PeerReason {
    std::string protocol;  ///< "SIP", "Q.850"; <= 32 bytes, escaped
    int cause = 0;         ///< a SIP status or a Q.850 cause; 0: none was given
    std::string text;      ///< <= 128 bytes, escaped
};

struct CallEnd {
    EndClass end_class = EndClass::Internal;
    EndReason reason = EndReason::InternalError;
    std::string detail;  ///< a sentence with numbers; already escaped
    /// What the BYE or CANCEL that ended the call said of itself, <= 4; empty for ends of our own
    /// making.
    std::vector<PeerReason> peer_reasons{};
    int sip_status = 0;  ///< the final answer that ended a call of ours; 0: none
};

[[nodiscard]] std::string_view name_of(EndClass end_class) noexcept;
[[nodiscard]] std::string_view name_of(EndReason reason) noexcept;
[[nodiscard]] EndClass class_of(EndReason reason) noexcept;
/// Every reason once, in the order of the enumerators. For tables and metric labels.
[[nodiscard]] std::span<const EndReason> end_reasons() noexcept;

/// `CallEnd` with the class that belongs to `reason`.
[[nodiscard]] CallEnd ended(EndReason reason, std::string detail = {});

/// Why signalling itself refused an INVITE with `status` (400-699), before the call room saw it.
[[nodiscard]] EndReason refused_with(int status) noexcept;

/// The one table from the final answer to an INVITE of ours (300-699) to why the call ended.
/// `detail` says the status and what to do about it. `phrase` is the peer's reason phrase, escaped.
[[nodiscard]] CallEnd ended_by_status(int status, std::string_view phrase = {});

}  // namespace offhook::model
