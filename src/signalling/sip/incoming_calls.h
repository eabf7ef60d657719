#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signalling/sip/call_answers.h"
#include "signalling/sip/call_control.h"
#include "signalling/sip/call_table.h"
#include "signalling/sip/reliable_ringing.h"
#include "signalling/sip/session_timers.h"

namespace offhook::signalling::sip {

/// Calls that others place, until their INVITE has its final answer.
/// @thread sip
class IncomingCalls {
public:
    IncomingCalls(AgentCore& core,
                  CallTable& calls,
                  CallAnswers& answers,
                  CallControl& control,
                  SessionTimers& sessions);

    void on_invite(const Request& request);
    /// The CANCEL of a first INVITE that waits, or a BYE in place of it.
    /// @param reason_header  of that, escaped
    /// @param reasons        its values
    void cancelled(SipCall& call,
                   std::string reason_header,
                   std::vector<model::PeerReason> reasons);
    void on_prack(SipCall& call, const Request& request) { ringing_.on_prack(call, request); }

    void ring(SipCall& call);
    void answer(SipCall& call, const model::LocalSdp& sdp);
    void reject(SipCall& call,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after);
    /// 480: the call room gives up a call that it has not answered.
    void give_up(SipCall& call, const model::CallEnd& why, const std::string& reason_header);

private:
    void answer_now(SipCall& call, const model::LocalSdp& sdp);
    /// Our call that the INVITE replaces (RFC 3891 §3). False: it is answered finally.
    [[nodiscard]] bool find_replaced(const Request& request, model::CallId& replaced);

    AgentCore& core_;
    CallTable& calls_;
    CallAnswers& answers_;
    CallControl& control_;
    SessionTimers& sessions_;
    ReliableRinging ringing_;
};

}  // namespace offhook::signalling::sip
