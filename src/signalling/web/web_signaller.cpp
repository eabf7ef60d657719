#include "signalling/web/web_signaller.h"

#include <utility>

namespace offhook::signalling::web {
namespace {

constexpr int kNotImplemented = 501;

model::RemoteSdp remote_of(std::string text) {
    model::RemoteSdp remote;
    remote.web_text = std::move(text);
    return remote;
}

}  // namespace

std::string_view name_of(Door door) noexcept {
    switch (door) {
        case Door::Whip:
            return "whip";
        case Door::Whep:
            return "whep";
        case Door::Browser:
            return "browser";
        case Door::Channel:
            break;
    }
    return "channel";
}

Refusal refusal_of(int sip_status,
                   std::string detail,
                   std::optional<std::chrono::seconds> retry_after) {
    const auto as = [&](int status, std::string_view code) {
        return Refusal{status, code, std::move(detail), retry_after};
    };
    switch (sip_status) {
        case 400:
            return as(400, "malformed");
        case 403:
        case 603:
            return as(403, "not-allowed");
        case 404:
        case 604:
            return as(404, "not-found");
        case 406:
        case 415:
        case 488:
        case 606:
            return as(406, "not-acceptable");
        case 491:
            return as(409, "conflict");
        case 408:
        case 504:
            return as(504, "timeout");
        case 480:
        case 486:
        case 600:
        case 503:
            return as(503, "limit-reached");
        default:
            return as(500, "internal");
    }
}

model::CallId WebSignaller::join(Join join, Peer& peer) {
    model::IncomingCall call;
    call.id = model::CallId::make();
    const std::string door(name_of(join.door));
    call.from_user = door;
    call.peer = door + ":" + join.remote;
    call.from_uri = call.peer;
    call.to_uri = door + ":" + join.to;
    call.to_user = std::move(join.to);
    call.user_agent = join.user_agent.substr(0, 256);
    call.local_address = std::move(join.local_address);
    call.offer = remote_of(std::move(join.offer));
    call.place = std::move(join.place);
    call.via = this;
    calls_[call.id].peer = &peer;
    model::CallId id = call.id;
    events_.on_incoming(std::move(call));
    return id;
}

void WebSignaller::candidates(const model::CallId& id,
                              std::vector<std::string> candidates,
                              bool is_end) {
    if (find(id) != nullptr) events_.on_candidates(id, std::move(candidates), is_end);
}

std::uint32_t WebSignaller::reoffer(const model::CallId& id, std::string offer) {
    Call* call = find(id);
    if (call == nullptr || !call->is_answered || call->open_exchange != 0) return 0;
    const std::uint32_t exchange = ++call->last_exchange;
    call->open_exchange = exchange;
    // From the loop, so that the peer knows the exchange before it is answered.
    control_.post([this, id, exchange, text = std::move(offer)]() mutable {
        const Call* waiting = find(id);
        if (waiting == nullptr || waiting->open_exchange != exchange) return;
        events_.on_reoffer(id, remote_of(std::move(text)), exchange);
    });
    return exchange;
}

void WebSignaller::leave(const model::CallId& id, model::CallEnd why) {
    if (calls_.erase(id) != 0) tell_end(id, std::move(why));
}

void WebSignaller::answer(const model::CallId& id, model::LocalSdp sdp, std::uint32_t exchange) {
    Call* call = find(id);
    if (call == nullptr) return;
    if (exchange == 0 ? call->is_answered : call->open_exchange != exchange) return;
    if (sdp.web_text.empty()) {
        const std::string why = "the answer has no description for a web peer";
        if (exchange == 0) tell_end(id, model::ended(model::EndReason::InternalError, why));
        return reject(id, 500, why, std::nullopt, exchange);
    }
    Peer& peer = *call->peer;
    call->open_exchange = 0;
    if (exchange == 0) {
        call->is_answered = true;
        control_.post([this, id] {
            if (find(id) != nullptr) events_.on_answer_sent(id);
        });
    }
    peer.on_answer(sdp.web_text, exchange);
}

void WebSignaller::reject(const model::CallId& id,
                          int status,
                          std::string reason_phrase,
                          std::optional<std::chrono::seconds> retry_after,
                          std::uint32_t exchange) {
    Call* call = find(id);
    if (call == nullptr) return;
    if (exchange == 0 ? call->is_answered : call->open_exchange != exchange) return;
    Peer& peer = *call->peer;
    call->open_exchange = 0;
    if (exchange == 0) calls_.erase(id);
    peer.on_refused(refusal_of(status, std::move(reason_phrase), retry_after), exchange);
}

void WebSignaller::hangup(const model::CallId& id,
                          model::CallEnd why,
                          std::string /*reason_header*/) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const Call call = found->second;
    calls_.erase(found);
    tell_end(id, why);
    if (call.is_answered) return call.peer->on_over(why);
    call.peer->on_refused(refusal_of(480, "the call was ended before its answer", std::nullopt), 0);
}

void WebSignaller::reoffer(const model::CallId& id, model::LocalSdp /*sdp*/) {
    control_.post([this, id] { events_.on_reoffer_done(id, kNotImplemented, std::nullopt); });
}

void WebSignaller::transfer(const model::CallId& id, model::Transfer /*transfer*/) {
    control_.post([this, id] { events_.on_transfer_progress(id, kNotImplemented); });
}

void WebSignaller::send_message(std::uint64_t tag, model::TextMessage /*message*/) {
    control_.post([this, tag] { events_.on_message_done(tag, kNotImplemented); });
}

WebSignaller::Call* WebSignaller::find(const model::CallId& id) {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

void WebSignaller::tell_end(const model::CallId& id, model::CallEnd why) {
    control_.post([this, id, why = std::move(why)] { events_.on_ended(id, why); });
}

}  // namespace offhook::signalling::web
