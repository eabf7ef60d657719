#include "signalling/sip/incoming_calls.h"

#include <algorithm>

#include "signalling/sip/call_facts.h"
#include "signalling/sip/offers.h"
#include "signalling/sip/refer_target.h"
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

IncomingCalls::IncomingCalls(AgentCore& core,
                             CallTable& calls,
                             CallAnswers& answers,
                             CallControl& control,
                             SessionTimers& sessions)
    : core_(core),
      calls_(calls),
      answers_(answers),
      control_(control),
      sessions_(sessions),
      ringing_(core, calls) {
    control_.when_confirmed(
        [this](SipCall& call, const model::LocalSdp& sdp) { answer_now(call, sdp); });
}

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
    SessionAnswer session;
    model::CallId replaced;
    if (!sessions_.negotiate(request, session) || !find_replaced(request, replaced))
        return SipCounters::count(counters.invites_rejected);
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
    if (const AccountPort* account = core_.accounts().find(dialog->account)) {
        call.quirks = account->quirks();
        call.codecs = account->codecs();
    }
    call.facts = facts_of(message);
    call.facts.replaces = replaced.text;
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
    added.replaces = std::move(replaced);
    control_.learn(request, added, call.facts);
    SessionTimers::learn(added, message);
    SipCall::Pending pending;
    pending.transaction = request.keys.transaction;
    pending.cseq = request.keys.cseq;
    pending.remote = std::move(offer);
    pending.session = std::move(session);
    pending.wants_reliable = has_option(message, "require", "100rel");
    added.pending = std::move(pending);
    calls_.add(std::move(added));
    core_.respond(request, 100);
    core_.post(
        [call = std::move(call)](model::SignallingEvents& events) { events.on_incoming(call); });
}

bool IncomingCalls::find_replaced(const Request& request, model::CallId& replaced) {
    const std::string_view value = header_of(request.message, "replaces");
    if (value.empty()) return true;
    const auto refuse = [&](int status) {
        core_.respond(request, status);
        return false;
    };
    const auto wanted = parse_replaces(value);
    if (!wanted) return refuse(400);
    const SipCall* call =
        calls_.find_dialog(Dialog::key_of(wanted->call_id, wanted->local_tag, wanted->remote_tag));
    // A call that rings here and that we did not place cannot be replaced, nor can one that another
    // phone system carries, whoever learned its tags.
    if (call == nullptr || call->state == SipCall::State::Incoming ||
        call->state == SipCall::State::Placing ||
        call->dialog.account != request.path.flow->account()) {
        return refuse(481);
    }
    if (call->state == SipCall::State::Terminating) return refuse(603);
    if (wanted->is_early_only) return refuse(486);
    replaced = call->id;
    return true;
}

void IncomingCalls::cancelled(SipCall& call,
                              std::string reason_header,
                              std::vector<model::PeerReason> reasons) {
    core_.respond(calls_.take_pending(call).transaction,
                  {.status = 487, .to_tag = call.dialog.local_tag});
    SipCounters::count(core_.counters().invites_cancelled);
    // RFC 3326 §2: "Call completed elsewhere".
    const bool elsewhere = std::any_of(reasons.begin(), reasons.end(), [](const auto& reason) {
        return same_text(reason.protocol, "SIP") && reason.cause == 200;
    });
    model::CallEnd end = model::ended(
        elsewhere ? model::EndReason::AnsweredElsewhere : model::EndReason::CallerCancelled,
        std::move(reason_header));
    end.peer_reasons = std::move(reasons);
    calls_.report_end(call, std::move(end));
    calls_.erase(call);
}

void IncomingCalls::ring(SipCall& call) {
    if (call.pending->wants_reliable) {
        // Of an INVITE without offer the first reliable response must carry one (RFC 3262 §5): it
        // gets none, and our offer with the 200.
        if (call.pending->remote) ringing_.ring(call);
        return;
    }
    core_.respond(call.pending->transaction,
                  {.status = 180,
                   .to_tag = call.dialog.local_tag,
                   .headers = {{"Contact", call.dialog.contact}, {"Allow", std::string(kAllow)}}});
    control_.confirm(call);
}

void IncomingCalls::answer(SipCall& call, const model::LocalSdp& sdp) {
    if (!control_.holds_back(call, sdp)) answer_now(call, sdp);
}

void IncomingCalls::answer_now(SipCall& call, const model::LocalSdp& sdp) {
    ReliableRinging::stop(call);
    const model::CallId id = call.id;
    const model::CallId replaced = call.replaces;
    answers_.send(call, write_sdp(sdp));
    SipCall* old = replaced.empty() || calls_.find(id) == nullptr ? nullptr : calls_.find(replaced);
    if (old == nullptr || old->state == SipCall::State::Terminating) return;
    calls_.end(*old,
               model::ended(model::EndReason::Replaced, "by the call " + id.text),
               "SIP;cause=200;text=\"Replaced\"");
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
