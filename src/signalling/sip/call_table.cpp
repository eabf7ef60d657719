#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {
namespace {

/// Nobody will answer what waits in a call that ends, and an INVITE without a final response keeps
/// its transaction for ever.
void refuse_pending(AgentCore& core, CallTable& calls, SipCall& call) {
    if (!call.pending) return;
    core.respond(calls.take_pending(call).transaction,
                 {.status = 487, .to_tag = call.dialog.local_tag});
}

}  // namespace

SipCall& CallTable::add(SipCall call) {
    auto owned = std::make_unique<SipCall>(std::move(call));
    SipCall& added = *owned;
    by_id_[added.id] = &added;
    if (added.pending) by_transaction_[added.pending->transaction] = &added;
    calls_[added.dialog.key()] = std::move(owned);
    return added;
}

void CallTable::erase(SipCall& call) {
    by_id_.erase(call.id);
    if (call.pending) by_transaction_.erase(call.pending->transaction);
    if (!call.answer.transaction.empty()) by_transaction_.erase(call.answer.transaction);
    calls_.erase(call.dialog.key());
    if (emptied_ && calls_.empty()) emptied_();
}

void CallTable::establish(SipCall& call, Dialog dialog) {
    const auto found = calls_.find(call.dialog.key());
    auto owned = std::move(found->second);
    calls_.erase(found);
    call.dialog = std::move(dialog);
    calls_[call.dialog.key()] = std::move(owned);
}

SipCall* CallTable::find(const model::CallId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

SipCall* CallTable::find_dialog(const std::string& key) const {
    const auto found = calls_.find(key);
    return found == calls_.end() ? nullptr : found->second.get();
}

SipCall* CallTable::find_transaction(const std::string& key) const {
    const auto found = by_transaction_.find(key);
    return found == by_transaction_.end() ? nullptr : found->second;
}

std::vector<model::CallId> CallTable::ids() const {
    std::vector<model::CallId> all;
    all.reserve(by_id_.size());
    for (const auto& [id, call] : by_id_) all.push_back(id);
    return all;
}

std::vector<model::CallId> CallTable::transferring() const {
    std::vector<model::CallId> all;
    for (const auto& [id, call] : by_id_) {
        if (!call->transfer_in.placed.empty()) all.push_back(id);
    }
    return all;
}

void CallTable::set_pending(SipCall& call, SipCall::Pending pending) {
    by_transaction_[pending.transaction] = &call;
    call.pending = std::move(pending);
}

SipCall::Pending CallTable::take_pending(SipCall& call) {
    SipCall::Pending pending = std::move(*call.pending);
    call.pending.reset();
    by_transaction_.erase(pending.transaction);
    return pending;
}

void CallTable::set_answered(SipCall& call, const std::string& transaction) {
    if (!call.answer.transaction.empty()) by_transaction_.erase(call.answer.transaction);
    call.answer.transaction = transaction;
    by_transaction_[transaction] = &call;
}

std::shared_ptr<SentRequest> CallTable::send(SipCall& call,
                                             std::string_view method,
                                             const Dialog::Content& content,
                                             OnReply on_reply) {
    const Path path = core_.paths().for_dialog(call.dialog);
    Dialog::Content complete = content;
    complete.headers.emplace_back("User-Agent", core_.settings().user_agent);
    auto request = call.dialog.make_request(method, core_.paths().via_for(*path.flow), complete);
    if (!request) return nullptr;
    return core_.sender().send(std::move(*request),
                               path,
                               call.dialog.account,
                               call.dialog.local_cseq,
                               std::move(on_reply));
}

SipCall::Ack CallTable::acknowledge(const Dialog& dialog, const SentRequest& invite) {
    SipCall::Ack ack{invite.cseq, {}, core_.paths().for_dialog(dialog)};
    // RFC 3261 §22.1: the ACK carries the credentials of its INVITE.
    auto message = dialog.make_ack(
        invite.cseq, core_.paths().via_for(*ack.path.flow), {.headers = invite.credentials});
    if (!message) return ack;
    ack.bytes = serialise(**message);
    (void)core_.paths().deliver(ack.path, ack.bytes);
    return ack;
}

void CallTable::report_end(SipCall& call, model::CallEnd end) {
    if (std::exchange(call.is_reported, true)) return;
    core_.post([id = call.id, end = std::move(end)](model::SignallingEvents& events) {
        events.on_ended(id, end);
    });
}

void CallTable::send_bye(SipCall& call, const std::string& reason) {
    call.state = SipCall::State::Terminating;
    refuse_pending(core_, *this, call);
    call.answer.repeater.cancel();
    call.answer.awaits_ack = false;
    call.session.timer.cancel();
    call.change_timer.cancel();
    if (call.change) core_.sender().abandon(*call.change->request);
    call.change.reset();
    Dialog::Content content;
    if (!reason.empty()) content.headers.emplace_back("Reason", single_line(reason));
    const auto sent = send(call, "BYE", content, [this, id = call.id, reason](const Reply& reply) {
        SipCall* ended = reply.is_final() ? find(id) : nullptr;
        if (ended == nullptr) return;
        // Nobody heard it: the account's flow may be lost, and another found soon.
        const bool is_unheard = reply.message == nullptr && !ended->dialog.account.empty();
        if (is_unheard && !std::exchange(ended->is_bye_owed, true)) {
            ended->bye_reason = reason;
            ended->change_timer.once(core_.context(), 64 * core_.settings().t1, [this, id] {
                if (SipCall* forgotten = find(id)) erase(*forgotten);
                publish_size();
            });
        } else {
            erase(*ended);
        }
        publish_size();
    });
    if (!sent) erase(call);
}

void CallTable::pay_bye(SipCall& call) {
    if (call.is_bye_owed && call.change_timer.is_armed())
        send_bye(call, std::string(call.bye_reason));
}

void CallTable::end(SipCall& call, model::CallEnd why, const std::string& reason) {
    report_end(call, std::move(why));
    if (call.state == SipCall::State::Answered) {
        // The repetition of the 200 goes on.
        call.state = SipCall::State::Terminating;
        refuse_pending(core_, *this, call);
        call.bye_reason = reason;
    } else {
        send_bye(call, reason);
    }
}

}  // namespace offhook::signalling::sip
