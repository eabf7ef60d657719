#include "signalling/sip/renegotiation.h"

#include <algorithm>

#include "signalling/sip/offers.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {

void Renegotiation::on_reinvite(SipCall& call, const Request& request) {
    // Also while our 200 waits for its ACK: an offer may be on its way in there.
    if (call.pending || call.answer.awaits_ack) return core_.respond(request, 491);
    std::optional<model::RemoteSdp> offer;
    if (!read_offer(core_, request, offer)) return;
    SipCall::Pending pending{request.keys.transaction,
                             request.keys.cseq,
                             contact_of(request.message),
                             std::move(offer),
                             call.exchanges + 1};
    call.dialog.path = request.path;
    // RFC 3264 §8: the same version of the same session asks for nothing new.
    if (pending.remote && call.remote && is_refresh(*pending.remote, *call.remote)) {
        calls_.set_pending(call, std::move(pending));
        return answers_.send(call, std::string(call.local_sdp));
    }
    ++call.exchanges;
    core_.respond(request, 100);
    core_.post([id = call.id, offer = pending.remote, exchange = pending.exchange](
                   model::SignallingEvents& events) { events.on_reoffer(id, offer, exchange); });
    calls_.set_pending(call, std::move(pending));
}

void Renegotiation::cancelled(SipCall& call) {
    const SipCall::Pending pending = calls_.take_pending(call);
    core_.respond(pending.transaction, {.status = 487, .to_tag = call.dialog.local_tag});
    // The call stays as it was (RFC 3261 §14.1), and the call room may have taken the offer over
    // already: it gets the description that stays.
    if (!pending.remote || !call.remote) return;
    core_.post([id = call.id, stays = call.remote](model::SignallingEvents& events) {
        events.on_confirmed(id, stays);
    });
}

void Renegotiation::answer(SipCall& call, const model::LocalSdp& sdp, std::uint32_t exchange) {
    if (call.pending && call.pending->exchange == exchange) answers_.send(call, write_sdp(sdp));
}

void Renegotiation::reject(SipCall& call,
                           int status,
                           const std::string& reason_phrase,
                           std::optional<std::chrono::seconds> retry_after,
                           std::uint32_t exchange) {
    if (!call.pending || call.pending->exchange != exchange) return;
    Headers headers;
    if (retry_after) headers.emplace_back("Retry-After", std::to_string(retry_after->count()));
    core_.respond(calls_.take_pending(call).transaction,
                  {.status = std::clamp(status, 400, 699),
                   .reason = reason_phrase,
                   .to_tag = call.dialog.local_tag,
                   .headers = std::move(headers)});
}

}  // namespace offhook::signalling::sip
