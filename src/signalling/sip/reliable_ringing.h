#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// RSeq of a provisional response that wants a PRACK (RFC 3262 §7.1); empty: it does not.
[[nodiscard]] std::optional<std::uint32_t> reliable_number(const osip_message_t& response);

/// Our 180 to a caller that requires reliable provisional responses: repeated until the PRACK, and
/// the end of the INVITE without one (RFC 3262 §3).
/// @thread sip
class ReliableRinging {
public:
    ReliableRinging(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    /// Sends the 180, once.
    void ring(SipCall& call);
    void on_prack(SipCall& call, const Request& request);
    /// The INVITE is answered: nothing is repeated any more. A PRACK may still come.
    static void stop(SipCall& call);

private:
    void repeat_later(SipCall& call);

    AgentCore& core_;
    CallTable& calls_;
};

}  // namespace offhook::signalling::sip
