#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signalling/sip/call_answers.h"
#include "signalling/sip/call_table.h"
#include "signalling/sip/session_timers.h"

namespace offhook::signalling::sip {

/// What changes in a call that is up, by re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311), from both
/// sides: hold, resume, moved address, refresh of session and target. One exchange at a time: what
/// we want meanwhile waits, what they want meanwhile is refused as the RFCs say.
/// @thread sip
class Renegotiation {
public:
    Renegotiation(AgentCore& core, CallTable& calls, CallAnswers& answers, SessionTimers& sessions)
        : core_(core), calls_(calls), answers_(answers), sessions_(sessions) {}

    // theirs

    void on_reinvite(SipCall& call, const Request& request);
    void on_update(SipCall& call, const Request& request);
    /// The CANCEL of a re-INVITE that waits: the call stays as it was.
    void cancelled(SipCall& call);
    /// @param exchange  which offer of theirs is answered; nothing happens when it is gone
    void answer(SipCall& call, const model::LocalSdp& sdp, std::uint32_t exchange);
    void reject(SipCall& call,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after,
                std::uint32_t exchange);

    // ours

    /// re-INVITE with `sdp`; a second one replaces a first that still waits.
    void reoffer(SipCall& call, const model::LocalSdp& sdp);
    /// UPDATE without a description where the peer takes it, else re-INVITE with the one in force.
    void refresh(SipCall& call);
    /// Sends what waits, if nothing is in the way. Called whenever an exchange ended.
    void proceed(SipCall& call);

private:
    /// An offer of ours waits for its answer.
    [[nodiscard]] static bool is_offering(const SipCall& call);
    [[nodiscard]] static bool is_busy(const SipCall& call);
    void send(SipCall& call);
    void on_reply(const model::CallId& id, const Reply& reply);
    void on_success(SipCall& call, const SipCall::Change& change, const osip_message_t& response);
    void on_failure(SipCall& call, const SipCall::Change& change, const Reply& reply);
    void meet_glare(SipCall& call, const SipCall::Change& change);
    void report(SipCall& call, int status, std::optional<model::RemoteSdp> answer);
    void limit(SipCall& call);
    void send_update_answer(SipCall& call, const std::string& sdp);

    AgentCore& core_;
    CallTable& calls_;
    CallAnswers& answers_;
    SessionTimers& sessions_;
};

}  // namespace offhook::signalling::sip
