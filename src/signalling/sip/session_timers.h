#pragma once

#include <functional>

#include "signalling/sip/call_table.h"
#include "signalling/sip/session_timer.h"

namespace offhook::signalling::sip {

/// The session timer of each call (RFC 4028): negotiated in every INVITE and UPDATE, refreshed by
/// us at half time when that is our part, and the end of a call that nobody refreshed.
/// @thread sip
class SessionTimers {
public:
    SessionTimers(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    /// What our 2xx to this INVITE or UPDATE says. False: its interval is too small, 422 is sent.
    [[nodiscard]] bool negotiate(const Request& request, SessionAnswer& answer);
    /// Adds `Session-Expires` and `Min-SE` to an INVITE or UPDATE of ours.
    void add_request_headers(const SipCall& call, Headers& headers) const;
    /// A 422 to that: the peer's Min-SE counts from now on.
    void raise_interval(SipCall& call, const osip_message_t& response) const;
    /// What the peer says it can, from its INVITE or its 2xx.
    static void learn(SipCall& call, const osip_message_t& message);

    /// A 2xx was sent or received: the time begins anew.
    void start(SipCall& call, const SessionTerms& terms);
    /// A refresh of ours found nobody, or an error: once more before the session lapses.
    void refresh_failed(SipCall& call);

    /// Runs when a refresh of ours is due.
    void when_due(std::function<void(SipCall&)> refresh) { refresh_ = std::move(refresh); }

private:
    void wait(SipCall& call, std::int64_t until_ns);
    void due(SipCall& call);

    AgentCore& core_;
    CallTable& calls_;
    std::function<void(SipCall&)> refresh_;
};

}  // namespace offhook::signalling::sip
