#include "signalling/sip/renegotiation.h"

#include <algorithm>

#include "base/escape.h"
#include "signalling/sip/offers.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {

// ---- theirs ----

void Renegotiation::on_reinvite(SipCall& call, const Request& request) {
    // Also while our 200 waits for its ACK: an offer may be on its way in there.
    if (call.pending || call.answer.awaits_ack || is_offering(call))
        return core_.respond(request, 491);
    SipCall::Pending pending{.transaction = request.keys.transaction,
                             .cseq = request.keys.cseq,
                             .target = contact_of(request.message),
                             .exchange = call.exchanges + 1};
    if (!read_offer(core_, request, pending.remote)) return;
    if (!sessions_.negotiate(request, pending.session)) return;
    sessions_.learn(call, request.message);
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

void Renegotiation::on_update(SipCall& call, const Request& request) {
    SipCall::Pending pending{.transaction = request.keys.transaction,
                             .cseq = request.keys.cseq,
                             .target = contact_of(request.message),
                             .exchange = call.exchanges + 1,
                             .is_update = true};
    const bool has_offer = !body_of(request.message).empty();
    if (has_offer) {
        // RFC 3311 §5.2: an offer of theirs without our answer, an offer of ours without theirs.
        if (call.pending) return core_.respond(request, 500, {{"Retry-After", "3"}});
        if (is_offering(call) || (call.answer.carries_offer && call.answer.awaits_ack))
            return core_.respond(request, 491);
        if (!read_offer(core_, request, pending.remote)) return;
    }
    if (!sessions_.negotiate(request, pending.session)) return;
    sessions_.learn(call, request.message);
    call.dialog.path = request.path;
    const bool is_new = has_offer && !(call.remote && is_refresh(*pending.remote, *call.remote));
    if (is_new) {
        ++call.exchanges;
        core_.post(
            [id = call.id, offer = pending.remote, exchange = pending.exchange](
                model::SignallingEvents& events) { events.on_reoffer(id, offer, exchange); });
        return calls_.set_pending(call, std::move(pending));
    }
    if (has_offer) {
        calls_.set_pending(call, std::move(pending));
        return send_update_answer(call, std::string(call.local_sdp));
    }
    // Without a description it has nothing to do with an INVITE that may wait.
    if (!pending.target.empty()) call.dialog.remote_target = pending.target;
    Headers headers{{"Contact", call.dialog.contact}};
    add_session_headers(pending.session, headers);
    core_.respond(pending.transaction,
                  {.status = 200, .to_tag = call.dialog.local_tag, .headers = std::move(headers)});
    if (call.state == SipCall::State::Confirmed) sessions_.start(call, pending.session.terms);
}

void Renegotiation::send_update_answer(SipCall& call, const std::string& sdp) {
    SipCall::Pending pending = calls_.take_pending(call);
    Headers headers{{"Contact", call.dialog.contact},
                    {"Allow", std::string(kAllow)},
                    {"Supported", std::string(kSupported)}};
    add_session_headers(pending.session, headers);
    core_.respond(pending.transaction,
                  {.status = 200,
                   .to_tag = call.dialog.local_tag,
                   .headers = std::move(headers),
                   .content_type = std::string(kAcceptedType),
                   .body = sdp});
    call.local_sdp = sdp;
    if (pending.remote) call.remote = std::move(pending.remote);
    if (!pending.target.empty()) call.dialog.remote_target = std::move(pending.target);
    sessions_.start(call, pending.session.terms);
    proceed(call);
}

void Renegotiation::cancelled(SipCall& call) {
    const SipCall::Pending pending = calls_.take_pending(call);
    core_.respond(pending.transaction, {.status = 487, .to_tag = call.dialog.local_tag});
    // The call stays as it was (RFC 3261 §14.1), and the call room may have taken the offer over
    // already: it gets the description that stays.
    if (pending.remote && call.remote) {
        core_.post([id = call.id, stays = call.remote](model::SignallingEvents& events) {
            events.on_confirmed(id, stays);
        });
    }
    proceed(call);
}

void Renegotiation::answer(SipCall& call, const model::LocalSdp& sdp, std::uint32_t exchange) {
    if (!call.pending || call.pending->exchange != exchange) return;
    if (call.pending->is_update) return send_update_answer(call, write_sdp(sdp));
    answers_.send(call, write_sdp(sdp));
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
    proceed(call);
}

// ---- ours ----

bool Renegotiation::is_offering(const SipCall& call) {
    return call.change && !call.change->sdp.empty();
}

bool Renegotiation::is_busy(const SipCall& call) {
    return call.state != SipCall::State::Confirmed || call.pending || call.answer.awaits_ack ||
           call.change || call.change_timer.is_armed();
}

void Renegotiation::reoffer(SipCall& call, const model::LocalSdp& sdp) {
    if (call.state == SipCall::State::Terminating || call.state == SipCall::State::Placing ||
        call.state == SipCall::State::Incoming) {
        return;
    }
    call.wanted = write_sdp(sdp);
    proceed(call);
}

void Renegotiation::refresh(SipCall& call) {
    call.wants_refresh = true;
    proceed(call);
}

void Renegotiation::proceed(SipCall& call) {
    if (is_busy(call) || (!call.wanted && !call.wants_refresh)) return;
    send(call);
}

void Renegotiation::send(SipCall& call) {
    SipCall::Change change;
    change.is_reoffer = call.wanted.has_value();
    change.is_update = !change.is_reoffer && call.allows_update;
    if (!change.is_update)
        change.sdp = call.wanted ? std::move(*call.wanted) : std::string(call.local_sdp);
    call.wanted.reset();
    call.wants_refresh = false;  // any INVITE or UPDATE refreshes session and target
    Dialog::Content content{
        .headers = {{"Allow", std::string(kAllow)}, {"Supported", std::string(kSupported)}}};
    sessions_.add_request_headers(call, content.headers);
    if (!change.sdp.empty()) {
        content.content_type = kAcceptedType;
        content.body = change.sdp;
    }
    const model::CallId id = call.id;
    change.request = calls_.send(
        call, change.is_update ? "UPDATE" : "INVITE", content, [this, id](const Reply& reply) {
            on_reply(id, reply);
            calls_.publish_size();
        });
    if (!change.request) {
        if (change.is_reoffer) report(call, 500, std::nullopt);
        return;
    }
    const bool is_invite = !change.is_update;
    call.change = std::move(change);
    if (is_invite) limit(call);
}

void Renegotiation::limit(SipCall& call) {
    // A peer that rings on a re-INVITE for ever blocks the call: CANCEL, then no more waiting.
    call.change_timer.once(core_.context(), 64 * core_.settings().t1, [this, id = call.id] {
        SipCall* waiting = calls_.find(id);
        if (waiting == nullptr || !waiting->change) return;
        waiting->change_timer.cancel();
        if (!std::exchange(waiting->change->is_given_up, true)) {
            core_.sender().cancel(*waiting->change->request, {});
            return limit(*waiting);
        }
        core_.sender().abandon(*waiting->change->request);
        on_reply(id, {408, nullptr});
        calls_.publish_size();
    });
}

void Renegotiation::on_reply(const model::CallId& id, const Reply& reply) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || !call->change || !reply.is_final()) return;
    call->change_timer.cancel();
    const SipCall::Change change = std::move(*call->change);
    call->change.reset();
    if (reply.is_success() && reply.message != nullptr) {
        on_success(*call, change, *reply.message);
    } else {
        on_failure(*call, change, reply);
    }
    if (SipCall* alive = calls_.find(id)) proceed(*alive);
}

void Renegotiation::on_success(SipCall& call,
                               const SipCall::Change& change,
                               const osip_message_t& response) {
    call.glares = 0;
    if (const std::string target = contact_of(response); !target.empty())
        call.dialog.remote_target = target;
    if (!change.is_update) call.ack = calls_.acknowledge(call.dialog, *change.request);
    sessions_.learn(call, response);
    sessions_.start(call, terms_of_answer(session_offer_of(response)));
    if (change.sdp.empty()) return;
    auto parsed = parse_sdp(body_of(response));
    if (!parsed || !is_usable(*parsed)) {
        // The peer took the offer and says nothing usable: what was in force stays.
        if (change.is_reoffer) report(call, 488, std::nullopt);
        return;
    }
    call.local_sdp = change.sdp;
    const bool changed = !call.remote || !is_refresh(*parsed, *call.remote);
    call.remote = *parsed;
    if (change.is_reoffer) {
        report(call, response.status_code, std::move(*parsed));
    } else if (changed) {
        core_.post([id = call.id, now = call.remote](model::SignallingEvents& events) {
            events.on_confirmed(id, now);
        });
    }
}

void Renegotiation::on_failure(SipCall& call, const SipCall::Change& change, const Reply& reply) {
    if (reply.message != nullptr && reply.status == 481) {
        // RFC 3261 §12.2.1.2: the peer has no such call any more.
        return calls_.end(
            call,
            model::ended(model::EndReason::DialogLost,
                         "481 to our " + std::string(change.is_update ? "UPDATE" : "re-INVITE")),
            {});
    }
    if (reply.status == 491 && call.glares == 0) return meet_glare(call, change);
    call.glares = 0;
    if (reply.status == 422 && reply.message != nullptr) {
        const std::uint32_t before = call.session.min_se_s;
        sessions_.raise_interval(call, *reply.message);
        if (call.session.min_se_s > before) {
            if (change.is_reoffer && !call.wanted) call.wanted = change.sdp;
            if (!change.is_reoffer) call.wants_refresh = true;
            return;
        }
    }
    // A peer that lists UPDATE and does not do it gets a re-INVITE.
    if (change.is_update && (reply.status == 405 || reply.status == 501)) {
        call.allows_update = false;
        call.wants_refresh = true;
        return;
    }
    if (change.is_reoffer) {
        report(call, reply.status, std::nullopt);
    }
    sessions_.refresh_failed(call);
}

void Renegotiation::meet_glare(SipCall& call, const SipCall::Change& change) {
    // RFC 3261 §14.1: who owns the Call-ID waits longer; in units of 10 ms.
    ++call.glares;
    if (change.is_reoffer && !call.wanted) call.wanted = change.sdp;
    if (!change.is_reoffer) call.wants_refresh = true;
    const int units = call.is_placed ? g_random_int_range(210, 401) : g_random_int_range(0, 201);
    // Scaled with T1, so that a test with short timers is quick.
    const auto wait = core_.settings().t1 * units / 50;
    call.change_timer.once(core_.context(), wait, [this, id = call.id] {
        if (SipCall* waiting = calls_.find(id)) {
            waiting->change_timer.cancel();
            proceed(*waiting);
        }
        calls_.publish_size();
    });
}

void Renegotiation::report(SipCall& call, int status, std::optional<model::RemoteSdp> answer) {
    core_.post([id = call.id, status, answer = std::move(answer)](model::SignallingEvents& events) {
        events.on_reoffer_done(id, status, answer);
    });
}

}  // namespace offhook::signalling::sip
