#pragma once

#include "model/call_end.h"
#include "signalling/sip/transactions.h"

namespace offhook::signalling::sip {

/// What a final non-2xx to the INVITE of a call that we placed says about its end; the detail has
/// the status, its phrase and a Reason header, escaped.
[[nodiscard]] model::CallEnd end_of_refusal(const Reply& reply);

}  // namespace offhook::signalling::sip
