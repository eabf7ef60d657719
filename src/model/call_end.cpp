#include "model/call_end.h"

#include <array>
#include <utility>

namespace offhook::model {
namespace {

struct ReasonFacts {
    EndReason reason;
    std::string_view name;
    EndClass end_class;
};

constexpr std::array kReasons{
    ReasonFacts{EndReason::CallerHangup, "caller-hangup", EndClass::Success},
    ReasonFacts{EndReason::CalleeHangup, "callee-hangup", EndClass::Success},
    ReasonFacts{EndReason::ApiHangup, "api-hangup", EndClass::Success},
    ReasonFacts{EndReason::AiHangup, "ai-hangup", EndClass::Success},
    ReasonFacts{EndReason::Transferred, "transferred", EndClass::Success},
    ReasonFacts{EndReason::Replaced, "replaced", EndClass::Success},
    ReasonFacts{EndReason::AnsweredElsewhere, "answered-elsewhere", EndClass::Success},
    ReasonFacts{EndReason::SentToVoicemail, "sent-to-voicemail", EndClass::Success},
    ReasonFacts{EndReason::Forwarded, "forwarded", EndClass::Success},
    ReasonFacts{EndReason::Declined, "declined", EndClass::Success},
    ReasonFacts{EndReason::Replied, "replied", EndClass::Success},
    ReasonFacts{EndReason::CallerCancelled, "caller-cancelled", EndClass::Caller},
    ReasonFacts{EndReason::RtpTimeout, "rtp-timeout", EndClass::Caller},
    ReasonFacts{EndReason::AckTimeout, "ack-timeout", EndClass::Caller},
    ReasonFacts{EndReason::NotAcceptable, "not-acceptable", EndClass::Caller},
    ReasonFacts{EndReason::Malformed, "malformed", EndClass::Caller},
    ReasonFacts{EndReason::UnsupportedMedia, "unsupported-media", EndClass::Caller},
    ReasonFacts{EndReason::BadExtension, "bad-extension", EndClass::Caller},
    ReasonFacts{EndReason::NoSuchDialog, "no-such-dialog", EndClass::Caller},
    ReasonFacts{EndReason::Busy, "busy", EndClass::Callee},
    ReasonFacts{EndReason::Rejected, "rejected", EndClass::Callee},
    ReasonFacts{EndReason::NotFound, "not-found", EndClass::Callee},
    ReasonFacts{EndReason::TemporarilyAway, "temporarily-away", EndClass::Callee},
    ReasonFacts{EndReason::NoAnswer, "no-answer", EndClass::Callee},
    ReasonFacts{EndReason::MediaRefused, "media-refused", EndClass::Callee},
    ReasonFacts{EndReason::AuthFailed, "auth-failed", EndClass::Config},
    ReasonFacts{EndReason::Forbidden, "forbidden", EndClass::Upstream},
    ReasonFacts{EndReason::Redirected, "redirected", EndClass::Upstream},
    ReasonFacts{EndReason::UpstreamRefused, "upstream-refused", EndClass::Upstream},
    ReasonFacts{EndReason::UpstreamFailed, "upstream-failed", EndClass::Upstream},
    ReasonFacts{EndReason::NoResponse, "no-response", EndClass::Upstream},
    ReasonFacts{EndReason::AccountDown, "account-down", EndClass::Upstream},
    ReasonFacts{EndReason::Drained, "drained", EndClass::Policy},
    ReasonFacts{EndReason::NoRoute, "no-route", EndClass::Config},
    ReasonFacts{EndReason::LimitCalls, "limit-calls", EndClass::Policy},
    ReasonFacts{EndReason::LimitPorts, "limit-ports", EndClass::Policy},
    ReasonFacts{EndReason::NotAllowed, "not-allowed", EndClass::Policy},
    ReasonFacts{EndReason::TransportLost, "transport-lost", EndClass::Upstream},
    ReasonFacts{EndReason::SessionTimer, "session-timer", EndClass::Upstream},
    ReasonFacts{EndReason::DialogLost, "dialog-lost", EndClass::Upstream},
    ReasonFacts{EndReason::Diverted, "diverted", EndClass::Upstream},
    ReasonFacts{EndReason::AiLost, "ai-lost", EndClass::Upstream},
    ReasonFacts{EndReason::IceFailed, "ice-failed", EndClass::Upstream},
    ReasonFacts{EndReason::DtlsFailed, "dtls-failed", EndClass::Upstream},
    ReasonFacts{EndReason::FingerprintMismatch, "fingerprint-mismatch", EndClass::Upstream},
    ReasonFacts{EndReason::WebTimeout, "web-timeout", EndClass::Upstream},
    ReasonFacts{EndReason::PeerVanished, "peer-vanished", EndClass::Upstream},
    ReasonFacts{EndReason::PipelineError, "pipeline-error", EndClass::Internal},
    ReasonFacts{EndReason::InternalError, "internal-error", EndClass::Internal},
};

constexpr bool is_in_order() {
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        if (static_cast<std::size_t>(kReasons[i].reason) != i) return false;
    }
    return kReasons.size() == static_cast<std::size_t>(EndReason::InternalError) + 1;
}
static_assert(is_in_order(), "one line for each reason, in the order of the enumerators");

const ReasonFacts& facts_of(EndReason reason) noexcept {
    return kReasons[static_cast<std::size_t>(reason)];
}

// RFC 3261 §21; RFC 5621 (485, 484 are its address errors), RFC 8197 (607), RFC 8688 (608).
EndReason reason_of_status(int status) noexcept {
    switch (status) {
        case 486:
        case 600:
            return EndReason::Busy;
        case 603:
        case 607:
        case 608:
            return EndReason::Rejected;
        case 404:
        case 410:
        case 484:
        case 485:
        case 604:
            return EndReason::NotFound;
        case 480:
            return EndReason::TemporarilyAway;
        case 487:
            return EndReason::NoAnswer;
        case 406:
        case 415:
        case 488:
        case 606:
            return EndReason::MediaRefused;
        case 401:
        case 407:
            return EndReason::AuthFailed;
        case 403:
            return EndReason::Forbidden;
        case 408:
            return EndReason::NoResponse;
        case 481:
            return EndReason::DialogLost;
        default:
            break;
    }
    if (status >= 300 && status < 400) return EndReason::Redirected;
    if (status >= 500 && status < 600) return EndReason::UpstreamFailed;
    return EndReason::UpstreamRefused;
}

std::string_view advice_for(EndReason reason) noexcept {
    switch (reason) {
        case EndReason::Busy:
            return "the far end is busy";
        case EndReason::Rejected:
            return "the far end declined";
        case EndReason::NotFound:
            return "the PBX does not know the number: look at `to` and at its dial plan";
        case EndReason::TemporarilyAway:
            return "nobody is registered there, or it does not take calls now";
        case EndReason::NoAnswer:
            return "it rang and nobody answered";
        case EndReason::MediaRefused:
            return "the far end takes none of our media: look at [rtp] codecs and the account's "
                   "srtp";
        case EndReason::AuthFailed:
            return "the PBX does not take the account's credentials: look at user, auth_user and "
                   "the password";
        case EndReason::Forbidden:
            return "the PBX does not allow this call: look at the account's rights there";
        case EndReason::Redirected:
            return "the PBX names another address; redirections are not followed";
        case EndReason::NoResponse:
            return "no answer came from the PBX or from behind it";
        case EndReason::DialogLost:
            return "the PBX does not know this call any more";
        case EndReason::UpstreamFailed:
            return "the PBX or what is behind it failed; its log says why";
        default:
            return "the PBX refused";
    }
}

}  // namespace

std::string_view name_of(EndClass end_class) noexcept {
    switch (end_class) {
        case EndClass::Success:
            return "success";
        case EndClass::Caller:
            return "caller";
        case EndClass::Callee:
            return "callee";
        case EndClass::Config:
            return "config";
        case EndClass::Policy:
            return "policy";
        case EndClass::Upstream:
            return "upstream";
        case EndClass::Internal:
            break;
    }
    return "internal";
}

std::string_view name_of(EndReason reason) noexcept {
    return facts_of(reason).name;
}

EndClass class_of(EndReason reason) noexcept {
    return facts_of(reason).end_class;
}

std::span<const EndReason> end_reasons() noexcept {
    static constexpr auto kAll = [] {
        std::array<EndReason, kReasons.size()> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = kReasons[i].reason;
        return all;
    }();
    return kAll;
}

CallEnd ended(EndReason reason, std::string detail) {
    return CallEnd{.end_class = class_of(reason), .reason = reason, .detail = std::move(detail)};
}

EndReason refused_with(int status) noexcept {
    switch (status) {
        case 403:
            return EndReason::NotAllowed;
        case 406:
        case 413:
        case 415:
            return EndReason::UnsupportedMedia;
        case 420:
        case 421:
        case 422:
            return EndReason::BadExtension;
        case 481:
        case 486:  // RFC 3891 §3: early-only, and the call is answered
        case 603:  // RFC 3891 §3: the call has ended
            return EndReason::NoSuchDialog;
        case 488:
            return EndReason::NotAcceptable;
        case 500:
            return EndReason::InternalError;
        case 503:
            return EndReason::LimitCalls;
        default:
            return EndReason::Malformed;
    }
}

CallEnd ended_by_status(int status, std::string_view phrase) {
    const EndReason reason = reason_of_status(status);
    std::string detail = "answered " + std::to_string(status);
    if (!phrase.empty()) detail.append(" ").append(phrase);
    CallEnd end = ended(reason, detail.append(": ").append(advice_for(reason)));
    end.sip_status = status;
    return end;
}

}  // namespace offhook::model
