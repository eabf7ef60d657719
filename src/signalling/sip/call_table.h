#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "signalling/sip/agent_core.h"
#include "signalling/sip/sip_call.h"

namespace offhook::signalling::sip {

/// The calls there are, and what every part of the user agent does with one: find it, ask its peer
/// something, end it.
/// @thread sip
class CallTable {
public:
    using OnReply = RequestSender::OnReply;

    explicit CallTable(AgentCore& core) : core_(core) {}

    SipCall& add(SipCall call);
    /// The call got its dialog: it is found under the key of `dialog` from now on.
    void establish(SipCall& call, Dialog dialog);
    void erase(SipCall& call);
    [[nodiscard]] SipCall* find(const model::CallId& id) const;
    /// By `Dialog::key`.
    [[nodiscard]] SipCall* find_dialog(const std::string& key) const;
    /// By the INVITE or UPDATE that waits, or the INVITE that was answered last.
    [[nodiscard]] SipCall* find_transaction(const std::string& key) const;
    [[nodiscard]] std::size_t size() const { return calls_.size(); }
    [[nodiscard]] std::vector<model::CallId> ids() const;
    /// Calls whose REFER waits for a call placed for it.
    [[nodiscard]] std::vector<model::CallId> transferring() const;

    /// `pending` gets found by its transaction.
    void set_pending(SipCall& call, SipCall::Pending pending);
    /// Nothing waits after it.
    SipCall::Pending take_pending(SipCall& call);
    /// The transaction that was answered 2xx; the one before is forgotten.
    void set_answered(SipCall& call, const std::string& transaction);

    /// Sends a request in the call's dialog on the path that leads there now. Null when none could
    /// be written.
    std::shared_ptr<SentRequest> send(SipCall& call,
                                      std::string_view method,
                                      const Dialog::Content& content,
                                      OnReply on_reply);
    /// Sends the ACK to a 2xx of an INVITE of ours. @return what was sent, to be repeated
    SipCall::Ack acknowledge(const Dialog& dialog, const SentRequest& invite);
    /// Reports the end, once.
    void report_end(SipCall& call, model::CallEnd end);
    /// Sends BYE now; the call is gone once that is answered.
    void send_bye(SipCall& call, const std::string& reason);
    /// The same as soon as RFC 3261 §15 allows it: not before the ACK to our first 200.
    void end(SipCall& call, model::CallEnd why, const std::string& reason);
    /// Sends the BYE again that nobody heard, now that the account has another flow.
    void pay_bye(SipCall& call);

    /// Runs `emptied` when the last call goes.
    void when_empty(std::function<void()> emptied) { emptied_ = std::move(emptied); }
    void publish_size() { core_.publish_sizes(calls_.size()); }

private:
    AgentCore& core_;
    std::unordered_map<std::string, std::unique_ptr<SipCall>> calls_;  ///< by Dialog::key
    std::unordered_map<model::CallId, SipCall*> by_id_;
    std::unordered_map<std::string, SipCall*> by_transaction_;
    std::function<void()> emptied_;
};

}  // namespace offhook::signalling::sip
