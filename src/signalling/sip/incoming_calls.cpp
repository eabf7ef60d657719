#include "signalling/sip/incoming_calls.h"

#include <algorithm>

#include "signalling/sip/offers.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {
namespace {

std::string display_name_of(const osip_from_t* from) {
    std::string name = bounded(from->displayname);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
        name = name.substr(1, name.size() - 2);
    return name;
}

/// The user part of a Request-URI; for `tel:` the number.
std::string user_of(const osip_uri_t& uri) {
    if (uri.username != nullptr) return bounded(uri.username);
    const std::string other = bounded(uri.string);
    return other.substr(0, other.find(';'));
}

}  // namespace

void IncomingCalls::on_invite(const Request& request) {
    SipCounters& counters = core_.counters();
    SipCounters::count(counters.invites);
    if (calls_.size() >= core_.settings().max_calls) {
        SipCounters::count(counters.invites_rejected);
        return core_.respond_busy(request);
    }
    const osip_message_t& message = request.message;
    if (!accepts_sdp(message)) {
        SipCounters::count(counters.invites_rejected);
        return core_.respond(request, 406, {{"Accept", std::string(kAcceptedType)}});
    }
    std::optional<model::RemoteSdp> offer;
    if (!read_offer(core_, request, offer)) return SipCounters::count(counters.invites_rejected);
    auto dialog = Dialog::from_request(
        message, request.keys, request.path, core_.paths().contact_for(*request.path.flow));
    if (!dialog) {
        SipCounters::count(counters.invites_rejected);
        return core_.respond(
            request, 400, {{"Warning", "399 offhook \"" + dialog.error().message + "\""}});
    }
    model::IncomingCall call;
    call.id = model::CallId::make();
    call.account = dialog->account;
    if (const AccountPort* account = core_.accounts().find(dialog->account))
        call.quirks = account->quirks();
    call.sip_call_id = request.keys.call_id;
    call.from_uri = text_of(message.from->url).substr(0, 256);
    call.from_user = bounded(message.from->url->username);
    call.from_display_name = display_name_of(message.from);
    call.to_uri = text_of(message.req_uri).substr(0, 256);
    call.to_user = user_of(*message.req_uri);
    call.peer = std::string(name_of(request.received.flow->transport())) + ":" +
                request.received.from.text();
    call.user_agent = std::string(header_of(message, "user-agent").substr(0, 256));
    call.local_address = request.received.flow->local().host();
    call.offer = offer;
    SipCall added;
    added.id = call.id;
    added.dialog = std::move(*dialog);
    added.pending =
        SipCall::Pending{request.keys.transaction, request.keys.cseq, {}, std::move(offer), 0};
    calls_.add(std::move(added));
    core_.respond(request, 100);
    core_.post(
        [call = std::move(call)](model::SignallingEvents& events) { events.on_incoming(call); });
}

void IncomingCalls::cancelled(SipCall& call, std::string detail) {
    core_.respond(calls_.take_pending(call).transaction,
                  {.status = 487, .to_tag = call.dialog.local_tag});
    SipCounters::count(core_.counters().invites_cancelled);
    calls_.report_end(call, model::ended(model::EndReason::CallerCancelled, std::move(detail)));
    calls_.erase(call);
}

void IncomingCalls::ring(SipCall& call) {
    core_.respond(call.pending->transaction,
                  {.status = 180,
                   .to_tag = call.dialog.local_tag,
                   .headers = {{"Contact", call.dialog.contact}, {"Allow", std::string(kAllow)}}});
}

void IncomingCalls::answer(SipCall& call, const model::LocalSdp& sdp) {
    answers_.send(call, write_sdp(sdp));
}

void IncomingCalls::reject(SipCall& call,
                           int status,
                           const std::string& reason_phrase,
                           std::optional<std::chrono::seconds> retry_after) {
    Headers headers;
    if (retry_after) headers.emplace_back("Retry-After", std::to_string(retry_after->count()));
    core_.respond(calls_.take_pending(call).transaction,
                  {.status = std::clamp(status, 400, 699),
                   .reason = reason_phrase,
                   .to_tag = call.dialog.local_tag,
                   .headers = std::move(headers)});
    SipCounters::count(core_.counters().invites_rejected);
    calls_.erase(call);
}

void IncomingCalls::give_up(SipCall& call,
                            const model::CallEnd& why,
                            const std::string& reason_header) {
    Headers headers;
    if (!reason_header.empty()) headers.emplace_back("Reason", single_line(reason_header));
    calls_.report_end(call, why);
    core_.respond(calls_.take_pending(call).transaction,
                  {.status = 480, .to_tag = call.dialog.local_tag, .headers = std::move(headers)});
    SipCounters::count(core_.counters().invites_rejected);
    calls_.erase(call);
}

}  // namespace offhook::signalling::sip
