#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signalling/sip/call_answers.h"
#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// Calls that others place, until their INVITE has its final answer.
/// @thread sip
class IncomingCalls {
public:
    IncomingCalls(AgentCore& core, CallTable& calls, CallAnswers& answers)
        : core_(core), calls_(calls), answers_(answers) {}

    void on_invite(const Request& request);
    /// The CANCEL of a first INVITE that waits.
    void cancelled(SipCall& call, std::string detail);

    void ring(SipCall& call);
    void answer(SipCall& call, const model::LocalSdp& sdp);
    void reject(SipCall& call,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after);
    /// 480: the call room gives up a call that it has not answered.
    void give_up(SipCall& call, const model::CallEnd& why, const std::string& reason_header);

private:
    AgentCore& core_;
    CallTable& calls_;
    CallAnswers& answers_;
};

}  // namespace offhook::signalling::sip
