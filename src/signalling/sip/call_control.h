#pragma once

#include <cstdint>
#include <functional>

#include "model/signalling.h"
#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// RingCentral's call control in the calls of its WebPhones (rc_control.h): what INVITE says of a
/// call beyond SIP, "it rings here" between our 180 and our 200, what may be asked for meanwhile,
/// and the server's own messages.
///
///     INVITE, P-rc Cmd 6 -->          learn
///                        <-- 180
///                        <-- MESSAGE, Cmd 17      confirm
///     200 to it          -->          (or kPatience passes)
///                        <-- 200
///     MESSAGE, Cmd 7     -->          on_message: 200, or silence when it is for another phone
/// @thread sip
class CallControl {
public:
    CallControl(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    /// What runs `answer` of a call whose answer waited for `confirm`.
    void when_confirmed(std::function<void(SipCall&, const model::LocalSdp&)> answer) {
        answer_ = std::move(answer);
    }

    /// Reads the headers of a first INVITE on an account with call control.
    void learn(const Request& request, SipCall& call, model::CallFacts& facts) const;
    /// Sends Cmd 17, once.
    void confirm(SipCall& call);
    /// True when our 200 has to wait; `when_confirmed` then answers with `sdp`.
    [[nodiscard]] bool holds_back(SipCall& call, const model::LocalSdp& sdp);

    /// True when a MESSAGE is one of theirs, and was answered or dropped.
    [[nodiscard]] bool on_message(const Request& request);
    /// True when a request that belongs to no dialog is answered 200 all the same, as their own
    /// phones do.
    [[nodiscard]] bool pardons(const Request& request);

    void order(const model::CallId& id, std::uint64_t tag, const model::ControlOrder& order);

private:
    [[nodiscard]] std::string client_of(const std::string& account) const;
    /// @return false: nothing could be sent
    bool send(SipCall& call,
              const ringcentral::ControlMessage& message,
              RequestSender::OnReply on_reply);
    void confirmed(const model::CallId& id);
    void done(const model::CallId& id, std::uint64_t tag, int status);

    AgentCore& core_;
    CallTable& calls_;
    std::function<void(SipCall&, const model::LocalSdp&)> answer_;
};

}  // namespace offhook::signalling::sip
