// The call room's side of the user agent: commands, answers and their repetition, BYE, bookkeeping.
#include <algorithm>

#include "base/monotonic.h"
#include "signalling/sip/sip_sdp.h"
#include "signalling/sip/user_agent.h"

namespace offhook::signalling::sip {

void UserAgent::post(std::function<void(model::SignallingEvents&)> event) {
    control_.post([&events = events_, event = std::move(event)] { event(events); });
}

void UserAgent::respond(const Request& request,
                        int status,
                        const Headers& headers,
                        const std::string& to_tag) {
    respond(request.keys.transaction,
            status,
            {},
            status == 100 || !to_tag.empty() ? to_tag : random_token(),
            headers);
}

std::string UserAgent::respond(const std::string& transaction,
                               int status,
                               std::string_view reason,
                               const std::string& to_tag,
                               const Headers& headers,
                               const std::string& sdp) {
    const osip_message_t* request = transactions_.request_of(transaction);
    if (request == nullptr) return {};
    UniqueMessage response = make_response(*request,
                                           status,
                                           single_line(reason),
                                           to_tag,
                                           status == 100 ? std::string() : settings_.user_agent);
    if (status > 100 && status < 300) {
        osip_list_clone(&request->record_routes,
                        &response->record_routes,
                        reinterpret_cast<int (*)(void*, void**)>(&osip_record_route_clone));
    }
    for (const auto& [name, value] : headers) {
        if (std::string_view(name) == "Contact") {
            osip_message_set_contact(response.get(), value.c_str());
        } else {
            add_header(*response, name, value);
        }
    }
    if (!sdp.empty()) set_sdp(*response, sdp);
    return transactions_.respond(transaction, std::move(response));
}

void UserAgent::ring(const model::CallId& id) {
    Dialog* dialog = find(id);
    if (dialog == nullptr || dialog->state != Dialog::State::Incoming) return;
    respond(dialog->pending_transaction,
            180,
            {},
            dialog->local_tag,
            {{"Contact", dialog->contact}, {"Allow", std::string(kAllow)}});
}

void UserAgent::answer(const model::CallId& id, const model::LocalSdp& sdp) {
    Dialog* dialog = find(id);
    if (dialog == nullptr || dialog->pending_transaction.empty()) return;
    send_answer(*dialog, write_sdp(sdp));
    publish_sizes();
}

std::string UserAgent::take_pending(Dialog& dialog) {
    by_transaction_.erase(dialog.pending_transaction);
    return std::exchange(dialog.pending_transaction, {});
}

void UserAgent::send_answer(Dialog& dialog, const std::string& sdp) {
    const bool first = dialog.state == Dialog::State::Incoming;
    const std::string transaction = take_pending(dialog);
    dialog.answer =
        respond(transaction,
                200,
                {},
                dialog.local_tag,
                {{"Contact", dialog.contact}, {"Allow", std::string(kAllow)}, {"Supported", ""}},
                sdp);
    if (dialog.answer.empty()) {
        report_end(dialog,
                   model::ended(model::EndReason::TransportLost, "the 200 could not be sent"));
        if (first) return erase(dialog);
        return send_bye(dialog, {});
    }
    if (!dialog.answered_transaction.empty()) by_transaction_.erase(dialog.answered_transaction);
    dialog.answered_transaction = transaction;
    by_transaction_[transaction] = &dialog;
    dialog.answer_path = dialog.path;
    dialog.answer_cseq = dialog.pending_cseq;
    dialog.local_sdp = sdp;
    dialog.carries_offer = !dialog.pending_remote.has_value();
    if (dialog.pending_remote) dialog.remote = std::exchange(dialog.pending_remote, std::nullopt);
    if (!dialog.pending_target.empty())
        dialog.remote_target = std::exchange(dialog.pending_target, {});
    dialog.awaits_ack = true;
    dialog.ack_deadline_ns = base::monotonic_ns() + 64 * settings_.t1.count() * base::kNsPerMs;
    dialog.repeat_in = settings_.t1;
    repeat_later(dialog);
    if (!first) return;
    dialog.state = Dialog::State::Answered;
    SipCounters::count(counters_.invites_answered);
    post([id = dialog.id](model::SignallingEvents& events) { events.on_answer_sent(id); });
}

void UserAgent::repeat_later(Dialog& dialog) {
    // RFC 3261 §13.3.1.4: on every transport, because a proxy may forward the 200 over an
    // unreliable one.
    dialog.repeater.once(context_, dialog.repeat_in, [this, &dialog] {
        if (base::monotonic_ns() >= dialog.ack_deadline_ns) return ack_timed_out(dialog);
        ++repeats_;
        (void)deliver(dialog.answer_path, dialog.answer);
        dialog.repeat_in = std::min(dialog.repeat_in * 2, settings_.t2);
        repeat_later(dialog);
        publish_sizes();
    });
}

void UserAgent::ack_timed_out(Dialog& dialog) {
    SipCounters::count(counters_.ack_timeouts);
    dialog.awaits_ack = false;
    dialog.answer = {};
    report_end(dialog,
               model::ended(model::EndReason::AckTimeout,
                            "no ACK within " + std::to_string(64 * settings_.t1.count()) + " ms"));
    send_bye(dialog,
             dialog.bye_reason.empty() ? "SIP;cause=408;text=\"ACK missing\"" : dialog.bye_reason);
    publish_sizes();
}

void UserAgent::reject(const model::CallId& id,
                       int status,
                       const std::string& reason_phrase,
                       std::optional<std::chrono::seconds> retry_after) {
    Dialog* dialog = find(id);
    if (dialog == nullptr || dialog->pending_transaction.empty()) return;
    Headers headers;
    if (retry_after) headers.emplace_back("Retry-After", std::to_string(retry_after->count()));
    respond(take_pending(*dialog),
            std::clamp(status, 400, 699),
            reason_phrase,
            dialog->local_tag,
            headers);
    if (dialog->state == Dialog::State::Incoming) {
        SipCounters::count(counters_.invites_rejected);
        erase(*dialog);
    } else {
        dialog->pending_remote.reset();
        dialog->pending_target.clear();
    }
    publish_sizes();
}

void UserAgent::hangup(const model::CallId& id,
                       const model::CallEnd& why,
                       const std::string& reason_header) {
    Dialog* dialog = find(id);
    if (dialog == nullptr || dialog->state == Dialog::State::Terminating) return;
    report_end(*dialog, why);
    if (!dialog->pending_transaction.empty()) {
        const bool first = dialog->state == Dialog::State::Incoming;
        respond(take_pending(*dialog), first ? 480 : 487, {}, dialog->local_tag, {});
        if (first) {
            SipCounters::count(counters_.invites_rejected);
            erase(*dialog);
            return publish_sizes();
        }
    }
    if (dialog->state == Dialog::State::Answered) {
        // RFC 3261 §15: no BYE before the ACK to our first 200. Its repetition goes on.
        dialog->state = Dialog::State::Terminating;
        dialog->bye_reason = reason_header;
    } else {
        send_bye(*dialog, reason_header);
    }
    publish_sizes();
}

void UserAgent::report_end(Dialog& dialog, model::CallEnd end) {
    if (std::exchange(dialog.is_reported, true)) return;
    post([id = dialog.id, end = std::move(end)](model::SignallingEvents& events) {
        events.on_ended(id, end);
    });
}

Path UserAgent::path_for(const Dialog& dialog) const {
    Path path = dialog.path;
    if (path.flow->transport() == Transport::Tcp && path.flow->is_open()) return path;
    osip_uri_t* raw = nullptr;
    if (osip_uri_init(&raw) != 0) return path;
    const glib::Unique<osip_uri_t, osip_uri_free> uri(raw);
    if (osip_uri_parse(raw, dialog.next_hop().c_str()) != 0) return path;
    // A Contact that names a host, or one that we would not hear anyway: back the way the call
    // came. It also keeps a peer from aiming our BYE at somebody else.
    const auto target = address_of(*raw);
    if (target && target->family() == path.to.family() && settings_.allow(target->raw()))
        path.to = *target;
    return path;
}

void UserAgent::send_bye(Dialog& dialog, const std::string& reason) {
    dialog.state = Dialog::State::Terminating;
    dialog.repeater.cancel();
    dialog.awaits_ack = false;
    const Path path = path_for(dialog);
    const SocketAddress local = path.flow->local();
    auto bye = dialog.make_bye(path.flow->transport(),
                               host_for(local) + ":" + std::to_string(local.port()),
                               settings_.user_agent,
                               reason);
    if (!bye) return erase(dialog);
    transactions_.request(std::move(*bye), path, [this, id = dialog.id](int /*status*/) {
        if (Dialog* ended = find(id)) erase(*ended);
        publish_sizes();
    });
}

Dialog& UserAgent::add(Dialog dialog) {
    auto owned = std::make_unique<Dialog>(std::move(dialog));
    Dialog& added = *owned;
    by_id_[added.id] = &added;
    by_transaction_[added.pending_transaction] = &added;
    by_merge_key_[added.merge_key] = &added;
    dialogs_[added.key()] = std::move(owned);
    return added;
}

void UserAgent::erase(Dialog& dialog) {
    by_id_.erase(dialog.id);
    by_merge_key_.erase(dialog.merge_key);
    for (const std::string* key : {&dialog.pending_transaction, &dialog.answered_transaction}) {
        if (!key->empty()) by_transaction_.erase(*key);
    }
    dialogs_.erase(dialog.key());
    if (shut_down_done_ && dialogs_.empty()) {
        shut_down_timer_.once(context_, std::chrono::milliseconds(0), shut_down_done_);
    }
}

Dialog* UserAgent::find(const model::CallId& id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

Dialog* UserAgent::find(const std::string& key) {
    const auto found = dialogs_.find(key);
    return found == dialogs_.end() ? nullptr : found->second.get();
}

std::string UserAgent::host_for(const SocketAddress& local) const {
    if (settings_.advertise.empty()) return local.uri_host();
    const auto numeric = SocketAddress::parse(settings_.advertise, 0);
    return numeric ? numeric->uri_host() : settings_.advertise;
}

std::string UserAgent::contact_for(const Flow& flow) const {
    const SocketAddress local = flow.local();
    const std::string transport = flow.transport() == Transport::Tcp ? ";transport=tcp" : "";
    return "<sip:offhook@" + host_for(local) + ":" + std::to_string(local.port()) + transport + ">";
}

void UserAgent::publish_sizes() {
    SipCounters::set(counters_.dialogs, dialogs_.size());
    SipCounters::set(counters_.transactions, transactions_.live() + transactions_.retired());
    SipCounters::set(counters_.retransmissions, transactions_.retransmissions() + repeats_);
}

void UserAgent::shut_down(std::chrono::milliseconds grace, std::function<void()> done) {
    shut_down_done_ = std::move(done);
    std::vector<model::CallId> ids;
    for (const auto& [id, dialog] : by_id_) ids.push_back(id);
    for (const model::CallId& id : ids) hangup(id, model::ended(model::EndReason::Drained), {});
    if (dialogs_.empty()) {
        shut_down_timer_.once(context_, std::chrono::milliseconds(0), shut_down_done_);
    } else {
        shut_down_timer_.once(context_, grace, [this] {
            stop_waiting_for_acks();
            shut_down_done_();
        });
    }
}

void UserAgent::stop_waiting_for_acks() {
    std::vector<model::CallId> ids;  // a BYE that cannot be sent erases its dialog
    for (const auto& [id, dialog] : by_id_) {
        if (dialog->awaits_ack) ids.push_back(id);
    }
    for (const model::CallId& id : ids) {
        if (Dialog* dialog = find(id)) send_bye(*dialog, dialog->bye_reason);
    }
}

}  // namespace offhook::signalling::sip
