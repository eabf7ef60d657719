#pragma once

#include <optional>

#include "model/sdp_offer.h"
#include "signalling/sip/agent_core.h"

namespace offhook::signalling::sip {

/// The offer in a request, if it has one. False when it cannot be used: the final answer (400, 415,
/// 488) is sent then.
[[nodiscard]] bool read_offer(AgentCore& core,
                              const Request& request,
                              std::optional<model::RemoteSdp>& offer);

/// True when an offer changes nothing (a session refresh): the origin and all that we use are the
/// same. A peer that puts us on hold without raising the version of o= is not taken for a refresh.
[[nodiscard]] bool is_refresh(const model::RemoteSdp& offer, const model::RemoteSdp& last);

}  // namespace offhook::signalling::sip
