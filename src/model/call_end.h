#pragma once

#include <string>
#include <string_view>

namespace offhook::model {

/// Whose doing the end was. Bounded: it is a metric label.
enum class EndClass { Success, Caller, Config, Policy, Upstream, Internal };

/// Why, in one word of a bounded set (metric label, API field, log field). Decided where it
/// happened.
enum class EndReason {
    CallerHangup,     ///< BYE from the peer
    CallerCancelled,  ///< CANCEL before the answer
    ApiHangup,        ///< POST /api/v1/calls/{id}/hangup
    AiHangup,
    Drained,           ///< the drain timeout or a second SIGTERM
    RtpTimeout,        ///< the caller's RTP stopped for `[rtp] timeout_s`
    AckTimeout,        ///< no ACK for our 200 within 64*T1 (RFC 3261 §13.3.1.4)
    NoRoute,           ///< 404
    NotAcceptable,     ///< 488: no codec in common, or no audio
    Malformed,         ///< 400: not an INVITE we can read
    UnsupportedMedia,  ///< 415
    BadExtension,      ///< 420
    LimitCalls,        ///< 503: `max_calls`, media worker late, draining
    LimitPorts,        ///< 503: no RTP port left
    TransportLost,
    PipelineError,
    InternalError,
};

struct CallEnd {
    EndClass end_class = EndClass::Internal;
    EndReason reason = EndReason::InternalError;
    std::string detail;  ///< a sentence with numbers; already escaped
};

[[nodiscard]] std::string_view name_of(EndClass end_class) noexcept;
[[nodiscard]] std::string_view name_of(EndReason reason) noexcept;
[[nodiscard]] EndClass class_of(EndReason reason) noexcept;

/// `CallEnd` with the class that belongs to `reason`.
[[nodiscard]] CallEnd ended(EndReason reason, std::string detail = {});

}  // namespace offhook::model
