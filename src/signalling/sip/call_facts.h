#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/signalling.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// What a request says about a call beside who and where (P-Asserted-Identity, Diversion,
/// History-Info, other headers), bounded as `model::CallFacts` says, not escaped.
/// P-Asserted-Identity is believed: only allowed sources and registered flows get this far (RFC
/// 3325 §4).
[[nodiscard]] model::CallFacts facts_of(const osip_message_t& request);

/// Headers that a PBX or an application adds and that are worth keeping, <= 16: X-*, P-* (but
/// P-Asserted-Identity), Call-Info, Alert-Info, Subject.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> kept_headers(
    const osip_message_t& message);

}  // namespace offhook::signalling::sip
