#pragma once

#include <string>

#include "signalling/sip/call_table.h"

namespace offhook::signalling::sip {

/// REFER in a call, from both sides (RFC 3515), with the subscription that reports its progress by
/// NOTIFY message/sipfrag (RFC 6665), or without (RFC 4488). One transfer a call and direction at a
/// time.
/// @thread sip
class Transfers {
public:
    Transfers(AgentCore& core, CallTable& calls) : core_(core), calls_(calls) {}

    void on_refer(SipCall& call, const Request& request);
    /// Whether a NOTIFY is about a transfer.
    [[nodiscard]] static bool is_meant(const Request& request);
    void on_notify(SipCall& call, const Request& request);

    void transfer(SipCall& call, const model::Transfer& transfer);
    void accept(SipCall& call, const model::CallId& placed);
    void refuse(SipCall& call, int status);
    /// A call that may have been placed for a REFER came to `status`.
    void on_outcome(const model::CallId& placed, int status);

private:
    void notify(SipCall& call, int status);
    /// Ours came to `status`; over with a final one.
    void progress(SipCall& call, int status);
    void report(const SipCall& call, int status);

    AgentCore& core_;
    CallTable& calls_;
};

}  // namespace offhook::signalling::sip
