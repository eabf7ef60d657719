#pragma once

#include "http/client.h"
#include "signalling/ringcentral/rc_types.h"

namespace offhook::signalling::ringcentral {

/// The request that was refused.
enum class Step { Token, Refresh, SipProvision, SipInfo };

/// What an answer that is no success means, and what to do. Their own error code and words are
/// part of the sentence, escaped.
/// @param reply a status outside 200-299
[[nodiscard]] Refusal refusal_of(const http::HttpReply& reply, Step step);

/// A request that got no answer: temporary, unless the URL or a header cannot be used at all.
[[nodiscard]] Refusal refusal_of(const base::Error& error);

/// What a final answer to REGISTER means at RingCentral beyond what SIP says; empty when nothing.
/// For the health text of an account.
[[nodiscard]] std::string registration_advice(int sip_status);

}  // namespace offhook::signalling::ringcentral
