#include "signalling/sip/call_answers.h"

#include <algorithm>

#include "base/monotonic.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {

void CallAnswers::send(SipCall& call, const std::string& sdp) {
    const bool first = call.state == SipCall::State::Incoming;
    SipCall::Pending pending = calls_.take_pending(call);
    SipCall::Answer& answer = call.answer;
    Headers headers{{"Contact", call.dialog.contact},
                    {"Allow", std::string(kAllow)},
                    {"Supported", std::string(kSupported)}};
    add_session_headers(pending.session, headers);
    answer.bytes = core_.respond(pending.transaction,
                                 {.status = 200,
                                  .to_tag = call.dialog.local_tag,
                                  .headers = std::move(headers),
                                  .content_type = std::string(kAcceptedType),
                                  .body = sdp});
    if (answer.bytes.empty()) {
        calls_.report_end(
            call, model::ended(model::EndReason::TransportLost, "the 200 could not be sent"));
        if (first) return calls_.erase(call);
        return calls_.send_bye(call, {});
    }
    calls_.set_answered(call, pending.transaction);
    answer.path = call.dialog.path;
    answer.cseq = pending.cseq;
    answer.carries_offer = !pending.remote.has_value();
    call.local_sdp = sdp;
    if (pending.remote) call.remote = std::move(pending.remote);
    if (!pending.target.empty()) call.dialog.remote_target = std::move(pending.target);
    answer.awaits_ack = true;
    answer.deadline_ns = base::monotonic_ns() + 64 * core_.settings().t1.count() * base::kNsPerMs;
    answer.repeat_in = core_.settings().t1;
    repeat_later(call);
    sessions_.start(call, pending.session.terms);
    if (!first) return;
    call.state = SipCall::State::Answered;
    SipCounters::count(core_.counters().invites_answered);
    core_.post([id = call.id](model::SignallingEvents& events) { events.on_answer_sent(id); });
}

void CallAnswers::repeat_later(SipCall& call) {
    // On every transport, because a proxy may forward the 200 over an unreliable one.
    call.answer.repeater.once(core_.context(), call.answer.repeat_in, [this, &call] {
        if (base::monotonic_ns() >= call.answer.deadline_ns) return timed_out(call);
        core_.repeat(call.answer.path, call.answer.bytes);
        call.answer.repeat_in = std::min(call.answer.repeat_in * 2, core_.settings().t2);
        repeat_later(call);
        calls_.publish_size();
    });
}

void CallAnswers::timed_out(SipCall& call) {
    SipCounters::count(core_.counters().ack_timeouts);
    call.answer.awaits_ack = false;
    call.answer.bytes = {};
    calls_.report_end(
        call,
        model::ended(model::EndReason::AckTimeout,
                     "no ACK within " + std::to_string(64 * core_.settings().t1.count()) + " ms"));
    calls_.send_bye(call,
                    call.bye_reason.empty() ? "SIP;cause=408;text=\"ACK missing\""
                                            : std::string(call.bye_reason));
    calls_.publish_size();
}

bool CallAnswers::repeat(const RequestKeys& keys) {
    const SipCall* call = calls_.find_transaction(keys.transaction);
    if (call == nullptr) return false;
    // After the ACK the bytes are gone, and so is the reason to repeat them.
    if (!call->answer.bytes.empty()) core_.repeat(call->answer.path, call->answer.bytes);
    return true;
}

void CallAnswers::on_ack(const RequestKeys& keys, const osip_message_t& ack) {
    SipCall* call = calls_.find_dialog(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
    if (call == nullptr || !call->answer.awaits_ack || keys.cseq != call->answer.cseq) return;
    call->answer.awaits_ack = false;
    call->answer.repeater.cancel();
    call->answer.bytes = {};
    if (call->state == SipCall::State::Terminating)
        return calls_.send_bye(*call, std::string(call->bye_reason));
    const bool first = call->state == SipCall::State::Answered;
    call->state = SipCall::State::Confirmed;
    std::optional<model::RemoteSdp> answer;
    if (call->answer.carries_offer) {
        auto parsed = parse_sdp(body_of(ack));
        if (!parsed || !is_usable(*parsed)) {
            return calls_.end(
                *call,
                model::ended(model::EndReason::NotAcceptable,
                             "the ACK has no usable answer to our offer" +
                                 (parsed ? std::string() : ": " + parsed.error().message)),
                "SIP;cause=488;text=\"Not Acceptable Here\"");
        }
        call->remote = *parsed;
        answer = std::move(*parsed);
    }
    if (!first && !answer) return;
    core_.post([id = call->id, answer = std::move(answer)](model::SignallingEvents& events) {
        events.on_confirmed(id, answer);
    });
}

void CallAnswers::stop_waiting() {
    for (const model::CallId& id : calls_.ids()) {
        SipCall* call = calls_.find(id);  // a BYE that cannot be sent erases its call
        if (call != nullptr && call->answer.awaits_ack)
            calls_.send_bye(*call, std::string(call->bye_reason));
    }
}

}  // namespace offhook::signalling::sip
