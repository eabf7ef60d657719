#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "signalling/sip/call_table.h"
#include "signalling/sip/session_timers.h"

namespace offhook::signalling::sip {

/// Calls that we place, until their INVITE has its final response; and the other forks of those
/// (RFC 3261 §13.2.2).
/// @thread sip
class PlacedCalls {
public:
    PlacedCalls(AgentCore& core, CallTable& calls, SessionTimers& sessions)
        : core_(core), calls_(calls), sessions_(sessions) {}

    void place(const model::OutgoingCall& order);
    /// CANCEL, as soon as it may be sent; the end is reported at once, as `status` to a transfer
    /// that the call was placed for.
    void give_up(SipCall& call,
                 const model::CallEnd& why,
                 const std::string& reason_header,
                 int status = 487);
    /// A response that belongs to no transaction: a 2xx to INVITE is repeated or of another fork,
    /// others are nothing.
    void on_late_success(const osip_message_t& response);

    /// Told of 18x, of 200 once the far end answered, and of the final status of a failure.
    void when_outcome(std::function<void(const model::CallId&, int status)> told) {
        outcome_ = std::move(told);
    }

private:
    /// An INVITE of ours that got a 2xx: for 64*T1 others may come (RFC 3261 §13.2.2.4).
    struct Accepted {
        Dialog sent;
        SentRequest invite;
        std::map<std::string, SipCall::Ack> acks;  ///< by To tag, <= 16
        glib::Timer expiry;
    };

    bool send_invite(SipCall& call);
    void on_reply(const model::CallId& id, const Reply& reply);
    void on_provisional(SipCall& call, const Reply& reply);
    /// PRACK when the response asked for it. False: it is a repetition or out of order.
    bool acknowledge_provisional(SipCall& call,
                                 SipCall::Fork& fork,
                                 const osip_message_t& response);
    void on_success(SipCall& call, const osip_message_t& response);
    bool retry_interval(SipCall& call, const Reply& reply);
    void rang_out(const model::CallId& id);
    void cancel(SipCall& call);
    void end(SipCall& call, const model::CallEnd& why, int status);
    void refuse_fork(Accepted& accepted, const osip_message_t& response, const std::string& tag);

    AgentCore& core_;
    CallTable& calls_;
    SessionTimers& sessions_;
    std::function<void(const model::CallId&, int)> outcome_;
    std::map<std::string, Accepted> accepted_;  ///< by Call-ID and our tag
};

}  // namespace offhook::signalling::sip
