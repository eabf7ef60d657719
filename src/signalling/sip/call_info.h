#pragma once

#include <string>

#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// INFO in a call: digits (application/dtmf-relay, application/dtmf) and anything else, both ways.
/// Digits of ours go one after the other, each when the one before is answered.
/// @thread sip
class CallInfo {
public:
    CallInfo(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    void on_info(SipCall& call, const Request& request);
    void send_digits(SipCall& call, const std::string& digits);
    void send(SipCall& call, const std::string& content_type, const std::string& body);

private:
    void send_next_digit(SipCall& call);

    AgentCore& core_;
    CallTable& calls_;
};

/// A digit out of an INFO body.
struct InfoDigit {
    char digit = 0;  ///< 0-9, *, #, A-D; 0: none
    unsigned duration_ms = 0;
};
/// @param is_relay  `Signal=5` and `Duration=160` lines; else the digit alone (or 10, 11 for * and
/// #)
[[nodiscard]] InfoDigit parse_info_digit(std::string_view body, bool is_relay);

}  // namespace offhook::signalling::sip
