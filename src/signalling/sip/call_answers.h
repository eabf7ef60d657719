#pragma once

#include <string>

#include "signalling/sip/call_table.h"
#include "signalling/sip/session_timers.h"

namespace offhook::signalling::sip {

/// Our 200s to INVITE: sent, repeated until the ACK on every transport (RFC 3261 §13.3.1.4), and
/// what the ACK brings.
/// @thread sip
class CallAnswers {
public:
    CallAnswers(AgentCore& core, CallTable& calls, SessionTimers& sessions)
        : core_(core), calls_(calls), sessions_(sessions) {}

    /// 200 with `sdp` to the INVITE that waits. The call may be gone after it.
    void send(SipCall& call, const std::string& sdp);
    /// Repeats the 200 when the INVITE is one that was answered with it. False: it is none of ours.
    bool repeat(const RequestKeys& keys);
    void on_ack(const RequestKeys& keys, const osip_message_t& ack);
    /// Sends every BYE that waits for an ACK: nobody will be here to send it later, and the peer
    /// would stay in a call with nobody.
    void stop_waiting();

private:
    void repeat_later(SipCall& call);
    void timed_out(SipCall& call);

    AgentCore& core_;
    CallTable& calls_;
    SessionTimers& sessions_;
};

}  // namespace offhook::signalling::sip
