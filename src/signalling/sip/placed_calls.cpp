#include "signalling/sip/placed_calls.h"

#include <charconv>

#include "base/escape.h"
#include "signalling/sip/header_rules.h"
#include "signalling/sip/refer_target.h"
#include "signalling/sip/refusal_reason.h"
#include "signalling/sip/reliable_ringing.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxForks = 16;

std::string call_id_of(const osip_message_t& message) {
    std::string id = bounded(message.call_id->number);
    if (message.call_id->host != nullptr) id += "@" + bounded(message.call_id->host);
    return id;
}

/// The audio in a response, if it has any that we can use.
std::optional<model::RemoteSdp> description_in(const osip_message_t& response) {
    if (!has_type(response, "application", "sdp")) return std::nullopt;
    auto parsed = parse_sdp(body_of(response));
    if (!parsed || !is_usable(*parsed)) return std::nullopt;
    return std::move(*parsed);
}

}  // namespace

void PlacedCalls::place(const model::OutgoingCall& order) {
    SipCall call;
    call.id = order.id;
    call.state = SipCall::State::Placing;
    call.is_placed = true;
    const auto refuse = [&](model::EndReason reason, std::string detail, int status) {
        calls_.report_end(call, model::ended(reason, std::move(detail)));
        if (outcome_) outcome_(order.id, status);
    };
    AccountPort* account = core_.accounts().find(order.account);
    const auto path = account == nullptr ? std::nullopt : account->path();
    if (!path || !path->flow->is_open()) {
        return refuse(
            model::EndReason::AccountDown,
            "the account " + base::escape_untrusted(order.account) + " has no flow to send on",
            503);
    }
    if (calls_.size() >= core_.settings().max_calls)
        return refuse(model::EndReason::LimitCalls, "too many calls at once", 503);
    const auto target = target_uri(order.to, account->domain());
    if (!target) return refuse(model::EndReason::NotFound, target.error().message, 484);
    if (const auto checked = check_headers(order.headers); !checked)
        return refuse(model::EndReason::InternalError, checked.error().message, 400);

    Dialog& dialog = call.dialog;
    dialog.call_id = random_token() + random_token();
    dialog.local_tag = random_token();
    dialog.local_party = account->identity() + ";tag=" + dialog.local_tag;
    dialog.remote_party = "<" + *target + ">";
    dialog.remote_target = *target;
    dialog.route_set = account->routes();
    dialog.contact = account->contact();
    dialog.path = *path;
    dialog.account = order.account;
    call.local_sdp = write_sdp(order.offer);
    call.placing = std::make_unique<SipCall::Placing>();
    call.placing->order = order;
    SipCall& added = calls_.add(std::move(call));
    if (!send_invite(added)) {
        return end(added,
                   model::ended(model::EndReason::InternalError, "the INVITE cannot be written"),
                   400);
    }
    model::PlacedCall placed;
    placed.sip_call_id = added.dialog.call_id;
    placed.from_uri = uri_in(account->identity());
    placed.peer = std::string(name_of(path->flow->transport())) + ":" + path->to.text();
    placed.local_address = path->flow->local().host();
    placed.quirks = account->quirks();
    core_.post([id = order.id, placed = std::move(placed)](model::SignallingEvents& events) {
        events.on_placed(id, placed);
    });
    added.placing->timer.once(core_.context(), order.ring_timeout, [this, id = order.id] {
        rang_out(id);
        calls_.publish_size();
    });
}

bool PlacedCalls::send_invite(SipCall& call) {
    Dialog::Content content{.headers = call.placing->order.headers,
                            .content_type = std::string(kAcceptedType),
                            .body = call.local_sdp};
    const model::OutgoingCall& order = call.placing->order;
    if (!order.referred_by.empty()) content.headers.emplace_back("Referred-By", order.referred_by);
    if (parse_replaces(order.replaces)) content.headers.emplace_back("Replaces", order.replaces);
    content.headers.emplace_back("Allow", kAllow);
    content.headers.emplace_back("Supported", kSupported);
    sessions_.add_request_headers(call, content.headers);
    auto sent = calls_.send(call, "INVITE", content, [this, id = call.id](const Reply& reply) {
        on_reply(id, reply);
        calls_.publish_size();
    });
    if (!sent) return false;
    call.placing->invite = std::move(sent);
    return true;
}

void PlacedCalls::on_reply(const model::CallId& id, const Reply& reply) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || call->state != SipCall::State::Placing) return;
    if (!reply.is_final()) return on_provisional(*call, reply);
    if (reply.is_success() && reply.message != nullptr) return on_success(*call, *reply.message);
    if (reply.status == 422 && retry_interval(*call, reply)) return;
    end(*call, end_of_refusal(reply), reply.status);
}

void PlacedCalls::on_provisional(SipCall& call, const Reply& reply) {
    SipCall::Placing& placing = *call.placing;
    const bool first = !std::exchange(placing.is_provisional, true);
    if (placing.is_given_up) {
        if (first) cancel(call);
        return;
    }
    if (reply.status == 100) return;
    const osip_message_t& response = *reply.message;
    const std::string tag = response.to == nullptr ? std::string() : tag_of(response.to);
    auto early = description_in(response);
    if (!tag.empty()) {
        auto fork = placing.forks.find(tag);
        if (fork == placing.forks.end() && placing.forks.size() < kMaxForks) {
            auto dialog = Dialog::from_response(call.dialog, response);
            if (!dialog) return;
            fork = placing.forks.emplace(tag, SipCall::Fork{std::move(*dialog), 0, {}}).first;
        }
        if (fork == placing.forks.end()) return;
        if (!acknowledge_provisional(call, fork->second, response)) return;
        if (early) fork->second.early = early;
    }
    core_.post([id = call.id, status = reply.status, early = std::move(early)](
                   model::SignallingEvents& events) { events.on_progress(id, status, early); });
    if (outcome_) outcome_(call.id, reply.status);
}

bool PlacedCalls::acknowledge_provisional(SipCall& call,
                                          SipCall::Fork& fork,
                                          const osip_message_t& response) {
    const auto rseq = reliable_number(response);
    if (!rseq) return true;
    // RFC 3262 §4: in order, each once.
    if (fork.rseq != 0 && *rseq != fork.rseq + 1) return false;
    fork.rseq = *rseq;
    if (const std::string target = contact_of(response); !target.empty())
        fork.dialog.remote_target = target;
    if (fork.dialog.remote_target.empty()) return true;  // nowhere to send it to
    const Path path = core_.paths().for_dialog(fork.dialog);
    auto prack = fork.dialog.make_request(
        "PRACK",
        core_.paths().via_for(*path.flow),
        {.headers = {
             {"RAck",
              std::to_string(*rseq) + " " + std::to_string(call.placing->invite->cseq) + " INVITE"},
             {"User-Agent", core_.settings().user_agent}}});
    if (prack) {
        core_.sender().send(
            std::move(*prack), path, fork.dialog.account, fork.dialog.local_cseq, {});
    }
    return true;
}

void PlacedCalls::on_success(SipCall& call, const osip_message_t& response) {
    const auto placing = std::move(call.placing);
    auto dialog = Dialog::from_response(call.dialog, response);
    if (!dialog) {
        return end(
            call, model::ended(model::EndReason::UpstreamFailed, dialog.error().message), 502);
    }
    Accepted& accepted = accepted_[call.dialog.call_id + '\n' + call.dialog.local_tag];
    accepted.sent = call.dialog;
    accepted.invite = *placing->invite;
    accepted.expiry.once(core_.context(),
                         64 * core_.settings().t1,
                         [this, key = call.dialog.call_id + '\n' + call.dialog.local_tag] {
                             accepted_.erase(std::string(key));
                         });
    const std::string tag = dialog->remote_tag;
    calls_.establish(call, std::move(*dialog));
    accepted.acks[tag] = calls_.acknowledge(call.dialog, *placing->invite);
    call.state = SipCall::State::Confirmed;
    if (placing->is_given_up) return calls_.send_bye(call, placing->cancel_reason);

    auto answer = description_in(response);
    // The answer may have come in a provisional response of the same fork (RFC 3262 §5).
    if (const auto fork = placing->forks.find(tag);
        !answer && body_of(response).empty() && fork != placing->forks.end()) {
        answer = fork->second.early;
    }
    if (!answer) {
        if (outcome_) outcome_(call.id, 488);
        return calls_.end(
            call,
            model::ended(model::EndReason::MediaRefused, "the 200 has no audio that we can use"),
            "SIP;cause=488;text=\"Not Acceptable Here\"");
    }
    call.remote = answer;
    sessions_.learn(call, response);
    sessions_.start(call, terms_of_answer(session_offer_of(response)));
    core_.post([id = call.id, answer = std::move(*answer)](model::SignallingEvents& events) {
        events.on_accepted(id, answer);
    });
    if (outcome_) outcome_(call.id, 200);
}

bool PlacedCalls::retry_interval(SipCall& call, const Reply& reply) {
    SipCall::Placing& placing = *call.placing;
    if (reply.message == nullptr || placing.is_given_up ||
        std::exchange(placing.raised_interval, true)) {
        return false;
    }
    sessions_.raise_interval(call, *reply.message);
    placing.is_provisional = false;
    placing.forks.clear();
    return send_invite(call);
}

void PlacedCalls::rang_out(const model::CallId& id) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || call->state != SipCall::State::Placing) return;
    const auto seconds = call->placing->order.ring_timeout.count();
    give_up(*call,
            model::ended(model::EndReason::NoAnswer,
                         "nobody answered within " + std::to_string(seconds) + " s"),
            "SIP;cause=408;text=\"No answer\"",
            408);
}

void PlacedCalls::give_up(SipCall& call,
                          const model::CallEnd& why,
                          const std::string& reason_header,
                          int status) {
    calls_.report_end(call, why);
    SipCall::Placing& placing = *call.placing;
    if (std::exchange(placing.is_given_up, true)) return;
    if (outcome_) outcome_(call.id, status);
    placing.cancel_reason = reason_header;
    placing.timer.cancel();
    // RFC 3261 §9.1: not before a provisional response. Without any, timer B ends it.
    if (placing.is_provisional) cancel(call);
}

void PlacedCalls::cancel(SipCall& call) {
    core_.sender().cancel(*call.placing->invite, call.placing->cancel_reason);
    // A peer that never answers the INVITE finally is not waited for (RFC 3261 §9.1).
    call.placing->timer.once(core_.context(), 64 * core_.settings().t1, [this, id = call.id] {
        if (SipCall* silent = calls_.find(id)) {
            core_.sender().abandon(*silent->placing->invite);
            calls_.erase(*silent);
        }
        calls_.publish_size();
    });
}

void PlacedCalls::end(SipCall& call, const model::CallEnd& why, int status) {
    const model::CallId id = call.id;
    const bool was_reported = call.is_reported;
    calls_.report_end(call, why);
    calls_.erase(call);
    if (outcome_ && !was_reported) outcome_(id, status);
}

void PlacedCalls::on_late_success(const osip_message_t& response) {
    if (!MSG_IS_STATUS_2XX(&response) || response.call_id == nullptr ||
        response.call_id->number == nullptr || response.from == nullptr || response.to == nullptr ||
        response.cseq == nullptr || response.cseq->number == nullptr ||
        bounded(response.cseq->method) != "INVITE") {
        return;
    }
    std::uint32_t cseq = 0;
    const char* number = response.cseq->number;
    std::from_chars(number, number + std::char_traits<char>::length(number), cseq);
    const std::string call_id = call_id_of(response);
    const std::string local_tag = tag_of(response.from);
    const std::string remote_tag = tag_of(response.to);
    if (const SipCall* call = calls_.find_dialog(Dialog::key_of(call_id, local_tag, remote_tag));
        call != nullptr && call->ack.cseq == cseq && !call->ack.bytes.empty()) {
        return core_.repeat(call->ack.path, call->ack.bytes);
    }
    const auto found = accepted_.find(call_id + '\n' + local_tag);
    if (found == accepted_.end() || remote_tag.empty() || found->second.invite.cseq != cseq) return;
    Accepted& accepted = found->second;
    if (const auto known = accepted.acks.find(remote_tag); known != accepted.acks.end())
        return core_.repeat(known->second.path, known->second.bytes);
    if (accepted.acks.size() < kMaxForks) refuse_fork(accepted, response, remote_tag);
}

void PlacedCalls::refuse_fork(Accepted& accepted,
                              const osip_message_t& response,
                              const std::string& tag) {
    auto dialog = Dialog::from_response(accepted.sent, response);
    if (!dialog) return;
    accepted.acks[tag] = calls_.acknowledge(*dialog, accepted.invite);
    const Path path = core_.paths().for_dialog(*dialog);
    auto bye = dialog->make_request(
        "BYE",
        core_.paths().via_for(*path.flow),
        {.headers = {{"Reason", "SIP;cause=200;text=\"Call completed elsewhere\""},
                     {"User-Agent", core_.settings().user_agent}}});
    if (bye) core_.sender().send(std::move(*bye), path, dialog->account, dialog->local_cseq, {});
}

}  // namespace offhook::signalling::sip
