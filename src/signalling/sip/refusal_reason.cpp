#include "signalling/sip/refusal_reason.h"

#include "base/escape.h"
#include "signalling/sip/dialog.h"
#include "signalling/sip/peer_reasons.h"

namespace offhook::signalling::sip {
using model::EndReason;

model::CallEnd end_of_refusal(const Reply& reply) {
    if (reply.message == nullptr) {
        return reply.status == 408
                   ? model::ended(EndReason::NoResponse, "no response to our INVITE")
                   : model::ended(EndReason::TransportLost, "our INVITE could not be sent");
    }
    const osip_message_t& message = *reply.message;
    model::CallEnd end = model::ended_by_status(
        reply.status, base::escape_untrusted(bounded(message.reason_phrase)));
    end.peer_reasons = reasons_of(message);
    if (const auto reason = header_of(message, "reason"); !reason.empty())
        end.detail += "; Reason: " + base::escape_untrusted(reason.substr(0, 256));
    if (const auto warning = header_of(message, "warning"); !warning.empty())
        end.detail += "; Warning: " + base::escape_untrusted(warning.substr(0, 256));
    if (reply.status >= 300 && reply.status < 400)
        end.detail += "; it names " + base::escape_untrusted(contact_of(message));
    return end;
}

}  // namespace offhook::signalling::sip
