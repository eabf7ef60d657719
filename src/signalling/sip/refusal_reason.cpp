#include "signalling/sip/refusal_reason.h"

#include "base/escape.h"
#include "signalling/sip/dialog.h"

namespace offhook::signalling::sip {
namespace {

using model::EndReason;

EndReason reason_of(int status) {
    switch (status) {
        case 401:
        case 407:
            return EndReason::AuthFailed;
        case 403:
            return EndReason::Forbidden;
        case 404:
        case 410:
        case 484:
        case 485:
        case 604:
            return EndReason::NotFound;
        case 406:
        case 415:
        case 488:
        case 606:
            return EndReason::MediaRefused;
        case 408:
            return EndReason::NoResponse;
        case 480:
            return EndReason::TemporarilyAway;
        case 486:
        case 600:
            return EndReason::Busy;
        case 487:
            return EndReason::NoAnswer;
        case 603:
        case 607:
        case 608:
            return EndReason::Rejected;
        default:
            break;
    }
    if (status < 400) return EndReason::Redirected;
    return status >= 500 && status < 600 ? EndReason::UpstreamFailed : EndReason::UpstreamRefused;
}

}  // namespace

model::CallEnd end_of_refusal(const Reply& reply) {
    if (reply.message == nullptr) {
        return reply.status == 408
                   ? model::ended(EndReason::NoResponse, "no response to our INVITE")
                   : model::ended(EndReason::TransportLost, "our INVITE could not be sent");
    }
    const osip_message_t& message = *reply.message;
    std::string detail =
        std::to_string(reply.status) + " " + base::escape_untrusted(bounded(message.reason_phrase));
    if (const auto reason = header_of(message, "reason"); !reason.empty())
        detail += ", Reason: " + base::escape_untrusted(reason.substr(0, 256));
    if (const auto warning = header_of(message, "warning"); !warning.empty())
        detail += ", Warning: " + base::escape_untrusted(warning.substr(0, 256));
    if (reply.status >= 300 && reply.status < 400)
        detail += ", to " + base::escape_untrusted(contact_of(message)) + " (not followed)";
    return model::ended(reason_of(reply.status), std::move(detail));
}

}  // namespace offhook::signalling::sip
