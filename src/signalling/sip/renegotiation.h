#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signalling/sip/call_answers.h"
#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// New offers inside a call that is up: hold, resume, moved address, refresh (RFC 3261 §14).
/// @thread sip
class Renegotiation {
public:
    Renegotiation(AgentCore& core, CallTable& calls, CallAnswers& answers)
        : core_(core), calls_(calls), answers_(answers) {}

    void on_reinvite(SipCall& call, const Request& request);
    /// The CANCEL of a re-INVITE that waits: the call stays as it was.
    void cancelled(SipCall& call);

    /// @param exchange  which offer of theirs is answered; nothing happens when it is gone
    void answer(SipCall& call, const model::LocalSdp& sdp, std::uint32_t exchange);
    void reject(SipCall& call,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after,
                std::uint32_t exchange);

private:
    AgentCore& core_;
    CallTable& calls_;
    CallAnswers& answers_;
};

}  // namespace offhook::signalling::sip
