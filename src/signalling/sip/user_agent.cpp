#include "signalling/sip/user_agent.h"

#include <algorithm>
#include <array>

#include "base/escape.h"

namespace offhook::signalling::sip {
namespace {

/// Methods of other RFCs that we know and do not do: 405. Any other word is 501 (RFC 3261 §21.5.2).
constexpr std::array<std::string_view, 8> kKnownMethods{
    "REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH", "UPDATE", "PRACK"};
constexpr std::array<std::string_view, 6> kOurMethods{
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO"};
constexpr std::chrono::milliseconds kUnregisterGrace{5'000};
/// INFO bodies that peers send along a call and that may be acknowledged without effect.
constexpr std::array<std::string_view, 3> kInfoSubtypes{"dtmf-relay", "dtmf", "media_control+xml"};

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
      answers_(core_, calls_),
      incoming_(core_, calls_, answers_),
      renegotiation_(core_, calls_, answers_) {}

UserAgent::~UserAgent() = default;

void UserAgent::on_message(const Received& received) {
    auto parsed = parse_message(received.bytes);
    if (!parsed) return core_.refuse_unreadable(received, parsed.error().message);
    glib::Unique<osip_event_t, osip_event_free> event(*parsed);
    if (MSG_IS_RESPONSE(event->sip)) {
        if (core_.transactions().match_response(event.get()) == Transactions::Match::Handled)
            (void)event.release();
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
    if (keys->method == "ACK") return answers_.on_ack(*keys, *event->sip);
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

void UserAgent::dispatch(const Request& request) {
    const RequestKeys& keys = request.keys;
    const osip_message_t& message = request.message;
    if (!same_text(bounded(message.sip_version), "SIP/2.0")) return core_.respond(request, 505);
    if (bounded(message.cseq->method) != keys.method) return core_.respond(request, 400);
    if (!contains(kOurMethods, keys.method)) {
        return core_.respond(request,
                             contains(kKnownMethods, keys.method) ? 405 : 501,
                             {{"Allow", std::string(kAllow)}});
    }
    if (keys.method == "CANCEL") return on_cancel(request);
    const std::string scheme = bounded(message.req_uri->scheme);
    if (!same_text(scheme, "sip") && !same_text(scheme, "sips") && !same_text(scheme, "tel")) {
        return core_.respond(request, 416);
    }
    // BYE is exempt: refusing it would keep alive a call that its peer wants to end.
    if (const auto required = list_of(message, "require");
        !required.empty() && keys.method != "BYE") {
        std::string unsupported;
        for (const std::string& option : required)
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        return core_.respond(request, 420, {{"Unsupported", single_line(unsupported)}});
    }
    if (!keys.to_tag.empty()) {
        SipCall* call =
            calls_.find_dialog(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
        if (call == nullptr) return core_.respond(request, 481);
        return in_dialog(*call, request);
    }
    if (header_of(message, "max-forwards") == "0") return core_.respond(request, 483);
    if (keys.method == "INVITE") return incoming_.on_invite(request);
    if (keys.method == "OPTIONS") return on_options(request);
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

void UserAgent::on_info(const Request& request) {
    const osip_message_t& message = request.message;
    bool known = body_of(message).empty();
    for (const std::string_view subtype : kInfoSubtypes)
        known = known || has_type(message, "application", subtype);
    if (known) return core_.respond(request, 200);
    core_.respond(request, 415, {{"Accept", "application/dtmf-relay, application/dtmf"}});
}

void UserAgent::in_dialog(SipCall& call, const Request& request) {
    const RequestKeys& keys = request.keys;
    const bool invite = keys.method == "INVITE";
    // RFC 3261 §12.2.2; an INVITE with the CSeq of the one before is no new one either.
    std::uint32_t& newest = call.dialog.remote_cseq;
    if (keys.cseq < newest || (invite && keys.cseq == newest))
        return core_.respond(request, 500, {{"Retry-After", "5"}});
    newest = keys.cseq;
    if (keys.method == "BYE") return on_bye(call, request);
    if (call.state == SipCall::State::Terminating) return core_.respond(request, 481);
    if (invite) return renegotiation_.on_reinvite(call, request);
    if (keys.method == "INFO") return on_info(request);
    on_options(request);
}

void UserAgent::on_bye(SipCall& call, const Request& request) {
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    core_.respond(request, 200);
    if (call.state == SipCall::State::Incoming) return incoming_.cancelled(call, std::move(detail));
    if (call.pending) {
        core_.respond(call.pending->transaction, {.status = 487, .to_tag = call.dialog.local_tag});
    }
    calls_.report_end(call, model::ended(model::EndReason::CallerHangup, std::move(detail)));
    calls_.erase(call);
}

void UserAgent::on_cancel(const Request& request) {
    // Copies: answering frees the request.
    const std::string invite = request.keys.invite_transaction;
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    SipCall* call = calls_.find_transaction(invite);
    if (call == nullptr)
        return core_.respond(request, core_.transactions().is_live(invite) ? 200 : 481);
    core_.respond(request.keys.transaction, {.status = 200, .to_tag = call->dialog.local_tag});
    // After our final answer CANCEL changes nothing (RFC 3261 §9.2): the peer gets its 200 and
    // sends BYE.
    if (!call->pending || call->pending->transaction != invite) return;
    if (call->state == SipCall::State::Incoming) {
        incoming_.cancelled(*call, std::move(detail));
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
    } else {
        if (call->pending) {
            core_.respond(calls_.take_pending(*call).transaction,
                          {.status = 487, .to_tag = call->dialog.local_tag});
        }
        calls_.end(*call, why, reason_header);
    }
    calls_.publish_size();
}

void UserAgent::set_draining(bool draining) {
    is_draining_ = draining;
    // Nobody new is to call; calls that go on keep their flow.
    if (draining) accounts_.stop(kUnregisterGrace, {});
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
