#include "signalling/sip/user_agent.h"
#include "signalling/sip/peer_reasons.h"

#include <algorithm>
#include <array>

#include "base/escape.h"

namespace offhook::signalling::sip {
namespace {

/// Methods of other RFCs that we know and do not do: 405. Any other word is 501 (RFC 3261 §21.5.2).
constexpr std::array<std::string_view, 2> kKnownMethods{"REGISTER", "PUBLISH"};
constexpr std::array<std::string_view, 12> kOurMethods{"INVITE",
                                                       "ACK",
                                                       "CANCEL",
                                                       "BYE",
                                                       "OPTIONS",
                                                       "INFO",
                                                       "UPDATE",
                                                       "PRACK",
                                                       "REFER",
                                                       "NOTIFY",
                                                       "MESSAGE",
                                                       "SUBSCRIBE"};
constexpr std::array<std::string_view, 4> kOurOptions{"100rel", "timer", "replaces", "norefersub"};
constexpr std::chrono::milliseconds kUnregisterGrace{5'000};

template <class List>
bool contains(const List& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

UserAgent::UserAgent(GMainContext* context,
                     SipSettings settings,
                     base::Executor& control,
                     model::SignallingEvents& events,
                     SipCounters& counters)
    : core_(context, std::move(settings), control, events, counters, *this),
      accounts_(core_, *this),
      calls_(core_),
      sessions_(core_, calls_),
      answers_(core_, calls_, sessions_),
      control_(core_, calls_),
      incoming_(core_, calls_, answers_, control_, sessions_),
      placed_(core_, calls_, sessions_),
      renegotiation_(core_, calls_, answers_, sessions_),
      transfers_(core_, calls_),
      info_(core_, calls_),
      messages_(core_, calls_) {
    sessions_.when_due([this](SipCall& call) { renegotiation_.refresh(call); });
    placed_.when_outcome(
        [this](const model::CallId& id, int status) { transfers_.on_outcome(id, status); });
    core_.accounts().when_moved([this](AccountPort& account) { on_moved(account); });
}

UserAgent::~UserAgent() = default;

void UserAgent::on_message(const Received& received) {
    core_.wire().received(received);
    auto parsed = parse_message(received.bytes);
    if (!parsed) return core_.refuse_unreadable(received, parsed.error().message);
    glib::Unique<osip_event_t, osip_event_free> event(*parsed);
    if (MSG_IS_RESPONSE(event->sip)) {
        if (core_.transactions().match_response(event.get(), *received.flow) ==
            Transactions::Match::Handled) {
            (void)event.release();
        } else {
            placed_.on_late_success(*event->sip);
        }
    } else {
        on_request(received, std::move(event));
    }
    calls_.publish_size();
}

void UserAgent::on_request(const Received& received,
                           glib::Unique<osip_event_t, osip_event_free> event) {
    auto keys = keys_of(*event->sip);
    if (!keys) return core_.refuse_unreadable(received, keys.error().message);
    // Two accounts of this process that one call rings are two user agents (RFC 3261 §8.2.2.2).
    keys->merge += '\n' + std::string(received.flow->account());
    Transactions& transactions = core_.transactions();
    const Path path = answer_path(*event->sip, received);
    switch (transactions.match_request(keys->transaction, event.get())) {
        case Transactions::Match::Handled:
            (void)event.release();
            return;
        case Transactions::Match::Accepted:
            (void)answers_.repeat(*keys);
            return;
        case Transactions::Match::None:
            break;
    }
    if (keys->method == "ACK") return on_ack(*keys, *event->sip);
    if (keys->method == "INVITE" && answers_.repeat(*keys)) return;
    const bool merged =
        keys->to_tag.empty() && keys->method != "CANCEL" && transactions.is_merged(keys->merge);
    SipCounters::count(core_.counters().requests);
    const osip_message_t* message =
        transactions.begin(keys->transaction, keys->merge, event.release(), path);
    if (message == nullptr) return SipCounters::count(core_.counters().dropped);
    const Request request{*message, *keys, path, received};
    if (merged) return core_.respond(request, 482);
    dispatch(request);
}

bool UserAgent::check(const Request& request) {
    const RequestKeys& keys = request.keys;
    const osip_message_t& message = request.message;
    const auto refuse = [&](int status, Headers headers = {}) {
        core_.respond(request, status, std::move(headers));
        return false;
    };
    if (!same_text(bounded(message.sip_version), "SIP/2.0")) return refuse(505);
    if (bounded(message.cseq->method) != keys.method) return refuse(400);
    if (!contains(kOurMethods, keys.method)) {
        return refuse(contains(kKnownMethods, keys.method) ? 405 : 501,
                      {{"Allow", std::string(kAllow)}});
    }
    if (keys.method == "CANCEL") return true;
    const std::string scheme = bounded(message.req_uri->scheme);
    if (!same_text(scheme, "sip") && !same_text(scheme, "sips") && !same_text(scheme, "tel"))
        return refuse(416);
    // BYE is exempt: refusing it would keep alive a call that its peer wants to end.
    if (keys.method == "BYE") return true;
    std::string unsupported;
    for (const std::string& option : list_of(message, "require")) {
        if (!contains(kOurOptions, option))
            unsupported += (unsupported.empty() ? "" : ", ") + option;
    }
    if (!unsupported.empty()) return refuse(420, {{"Unsupported", single_line(unsupported)}});
    return true;
}

void UserAgent::dispatch(const Request& request) {
    const RequestKeys& keys = request.keys;
    if (!check(request)) return;
    if (keys.method == "CANCEL") return on_cancel(request);
    // In a call or outside, whatever its CSeq: they count these apart.
    if (keys.method == "MESSAGE" && control_.on_message(request)) return;
    if (keys.to_tag.empty()) return outside(request);
    SipCall* call = calls_.find_dialog(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
    if (call == nullptr) {
        if (!control_.pardons(request)) core_.respond(request, 481);
        return;
    }
    in_dialog(*call, request);
}

void UserAgent::outside(const Request& request) {
    const std::string& method = request.keys.method;
    if (header_of(request.message, "max-forwards") == "0") return core_.respond(request, 483);
    if (method == "INVITE") return incoming_.on_invite(request);
    if (method == "OPTIONS") return on_options(request);
    if (method == "MESSAGE") return messages_.on_message(nullptr, request);
    if (control_.pardons(request)) return;
    // We offer no event to subscribe to, and asked for none outside a call.
    if (method == "SUBSCRIBE" || method == "NOTIFY")
        return core_.respond(request, 489, {{"Allow-Events", "refer"}});
    if (method == "REFER") return core_.respond(request, 403);
    core_.respond(request, 481);
}

void UserAgent::on_options(const Request& request) {
    // Inside a call the question is about the call, which goes on while we drain.
    if (is_draining_ && request.keys.to_tag.empty()) return core_.respond_busy(request);
    core_.respond(request,
                  200,
                  {{"Allow", std::string(kAllow)},
                   {"Accept", std::string(kAcceptedType)},
                   {"Accept-Encoding", "identity"},
                   {"Supported", std::string(kSupported)}});
}

void UserAgent::in_dialog(SipCall& call, const Request& request) {
    const RequestKeys& keys = request.keys;
    const bool invite = keys.method == "INVITE";
    // Found by a From without tag: there is no dialog before the far end answers.
    if (call.state == SipCall::State::Placing) return core_.respond(request, 481);
    // RFC 3261 §12.2.2; an INVITE with the CSeq of the one before is no new one either.
    std::uint32_t& newest = call.dialog.remote_cseq;
    if (keys.cseq < newest || (invite && keys.cseq == newest))
        return core_.respond(request, 500, {{"Retry-After", "5"}});
    newest = keys.cseq;
    if (keys.method == "BYE") return on_bye(call, request);
    if (call.state == SipCall::State::Terminating) return core_.respond(request, 481);
    if (invite) return renegotiation_.on_reinvite(call, request);
    if (keys.method == "UPDATE") return renegotiation_.on_update(call, request);
    if (keys.method == "PRACK") return incoming_.on_prack(call, request);
    if (keys.method == "INFO") return info_.on_info(call, request);
    if (keys.method == "MESSAGE") return messages_.on_message(&call, request);
    if (keys.method == "REFER") return transfers_.on_refer(call, request);
    if (keys.method == "NOTIFY") {
        if (transfers_.is_meant(request) || !control_.pardons(request))
            transfers_.on_notify(call, request);
        return;
    }
    if (keys.method == "SUBSCRIBE") return core_.respond(request, 489, {{"Allow-Events", "refer"}});
    on_options(request);
}

void UserAgent::on_ack(const RequestKeys& keys, const osip_message_t& ack) {
    answers_.on_ack(keys, ack);
    SipCall* call = calls_.find_dialog(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
    if (call != nullptr) renegotiation_.proceed(*call);
}

void UserAgent::on_moved(AccountPort& account) {
    const std::string contact = account.contact();
    for (const model::CallId& id : calls_.ids()) {
        SipCall* call = calls_.find(id);
        if (call == nullptr || call->dialog.account != account.name()) continue;
        if (std::exchange(call->dialog.contact, contact) == contact) continue;
        if (call->is_up()) renegotiation_.refresh(*call);
        calls_.pay_bye(*call);
    }
    calls_.publish_size();
}

void UserAgent::on_bye(SipCall& call, const Request& request) {
    // Copies: answering frees the request.
    std::vector<model::PeerReason> reasons = reasons_of(request.message);
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    core_.respond(request, 200);
    if (call.state == SipCall::State::Incoming)
        return incoming_.cancelled(call, std::move(detail), std::move(reasons));
    if (call.pending) {
        core_.respond(call.pending->transaction, {.status = 487, .to_tag = call.dialog.local_tag});
    }
    model::CallEnd end = model::ended(
        call.is_placed ? model::EndReason::CalleeHangup : model::EndReason::CallerHangup,
        std::move(detail));
    end.peer_reasons = std::move(reasons);
    calls_.report_end(call, std::move(end));
    calls_.erase(call);
}

void UserAgent::on_cancel(const Request& request) {
    // Copies: answering frees the request.
    const std::string invite = request.keys.invite_transaction;
    std::vector<model::PeerReason> reasons = reasons_of(request.message);
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    SipCall* call = calls_.find_transaction(invite);
    if (call == nullptr) {
        const bool is_known = core_.transactions().is_live(invite);
        if (is_known || !control_.pardons(request)) core_.respond(request, is_known ? 200 : 481);
        return;
    }
    core_.respond(request.keys.transaction, {.status = 200, .to_tag = call->dialog.local_tag});
    // After our final answer CANCEL changes nothing (RFC 3261 §9.2): the peer gets its 200 and
    // sends BYE.
    if (!call->pending || call->pending->transaction != invite) return;
    if (call->state == SipCall::State::Incoming) {
        incoming_.cancelled(*call, std::move(detail), std::move(reasons));
    } else {
        renegotiation_.cancelled(*call);
    }
}

void UserAgent::ring(const model::CallId& id) {
    SipCall* call = calls_.find(id);
    if (call != nullptr && call->state == SipCall::State::Incoming) incoming_.ring(*call);
}

void UserAgent::answer(const model::CallId& id,
                       const model::LocalSdp& sdp,
                       std::uint32_t exchange) {
    SipCall* call = calls_.find(id);
    if (call == nullptr) return;
    if (call->state == SipCall::State::Incoming) {
        incoming_.answer(*call, sdp);
    } else {
        renegotiation_.answer(*call, sdp, exchange);
    }
    calls_.publish_size();
}

void UserAgent::reject(const model::CallId& id,
                       int status,
                       const std::string& reason_phrase,
                       std::optional<std::chrono::seconds> retry_after,
                       std::uint32_t exchange) {
    SipCall* call = calls_.find(id);
    if (call == nullptr) return;
    if (call->state == SipCall::State::Incoming) {
        incoming_.reject(*call, status, reason_phrase, retry_after);
    } else {
        renegotiation_.reject(*call, status, reason_phrase, retry_after, exchange);
    }
    calls_.publish_size();
}

void UserAgent::hangup(const model::CallId& id,
                       const model::CallEnd& why,
                       const std::string& reason_header) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || call->state == SipCall::State::Terminating) return;
    if (call->state == SipCall::State::Incoming) {
        incoming_.give_up(*call, why, reason_header);
    } else if (call->state == SipCall::State::Placing) {
        placed_.give_up(*call, why, reason_header);
    } else {
        calls_.end(*call, why, reason_header);
    }
    calls_.publish_size();
}

void UserAgent::set_draining(bool draining) {
    is_draining_ = draining;
    // Nobody new is to call; calls that go on keep their flow.
    if (draining) accounts_.stop(kUnregisterGrace, {});
}

void UserAgent::place_call(const model::OutgoingCall& call) {
    placed_.place(call);
    calls_.publish_size();
}

void UserAgent::reoffer(const model::CallId& id, const model::LocalSdp& sdp) {
    if (SipCall* call = calls_.find(id)) renegotiation_.reoffer(*call, sdp);
}

void UserAgent::transfer(const model::CallId& id, const model::Transfer& transfer) {
    if (SipCall* call = calls_.find(id)) transfers_.transfer(*call, transfer);
}

void UserAgent::accept_transfer(const model::CallId& id, const model::CallId& placed) {
    if (SipCall* call = calls_.find(id)) transfers_.accept(*call, placed);
}

void UserAgent::refuse_transfer(const model::CallId& id, int status) {
    if (SipCall* call = calls_.find(id)) transfers_.refuse(*call, status);
}

void UserAgent::send_info_digits(const model::CallId& id, const std::string& digits) {
    if (SipCall* call = calls_.find(id)) info_.send_digits(*call, digits);
}

void UserAgent::send_info(const model::CallId& id,
                          const std::string& content_type,
                          const std::string& body) {
    if (SipCall* call = calls_.find(id)) info_.send(*call, content_type, body);
}

void UserAgent::send_message(std::uint64_t tag, const model::TextMessage& message) {
    messages_.send(tag, message);
}

void UserAgent::shut_down(std::chrono::milliseconds grace, std::function<void()> done) {
    for (const model::CallId& id : calls_.ids())
        hangup(id, model::ended(model::EndReason::Drained), {});
    shut_down_timer_.once(core_.context(), grace, [this, done] {
        calls_.when_empty({});
        answers_.stop_waiting();
        done();
    });
    // The calls first: our BYEs go on the flows of the accounts.
    const auto without_calls = [this, grace, done] {
        accounts_.stop(grace, [this, done] {
            shut_down_timer_.once(core_.context(), std::chrono::milliseconds(0), done);
        });
    };
    if (calls_.size() == 0) return without_calls();
    calls_.when_empty(without_calls);
}

}  // namespace offhook::signalling::sip
