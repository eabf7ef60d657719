#pragma once

#include <cstdint>

#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// MESSAGE (RFC 3428), in calls and outside, both ways. <= 16 KiB of body.
/// @thread sip
class TextMessages {
public:
    TextMessages(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    /// @param call  null: outside any call
    void on_message(const SipCall* call, const Request& request);
    void send(std::uint64_t tag, const model::TextMessage& message);

private:
    void send_in_call(SipCall& call, std::uint64_t tag, const model::TextMessage& message);
    void send_outside(std::uint64_t tag, const model::TextMessage& message);
    void done(std::uint64_t tag, int status);
    [[nodiscard]] RequestSender::OnReply reporter(std::uint64_t tag);

    AgentCore& core_;
    CallTable& calls_;
};

}  // namespace offhook::signalling::sip
