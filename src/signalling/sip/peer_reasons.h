#pragma once

#include <string_view>
#include <vector>

#include "model/call_end.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// The values of one Reason header (RFC 3326 §2): `protocol *(SEMI reason-params)`, separated by
/// commas outside of quotes. At most 4; texts are cut and escaped as `model::PeerReason` says. What
/// cannot be read is left out.
[[nodiscard]] std::vector<model::PeerReason> parse_reasons(std::string_view header);

/// Of every Reason header of the message, at most 4.
[[nodiscard]] std::vector<model::PeerReason> reasons_of(const osip_message_t& message);

}  // namespace offhook::signalling::sip
