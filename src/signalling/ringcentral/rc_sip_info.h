#pragma once

#include <string>
#include <string_view>

#include "signalling/ringcentral/rc_types.h"

namespace offhook::signalling::ringcentral {

/// Reads the answer to `POST /restapi/v1.0/client-info/sip-provision`, asked for WSS.
/// @errors permanent: no usable sipInfo, SIP digest switched off, VoIP switched off or blocked in
///         the country
[[nodiscard]] Outcome<SipCredentials> read_sip_provision(std::string_view body);

/// Reads the answer to `GET /restapi/v1.0/account/~/device/{id}/sip-info`.
/// @param region  of `outboundProxies`, such as "NA"; empty: the first one. The backup is the next
///                entry that has a TLS proxy.
/// @errors permanent: no password or no TLS proxy, as with a device of another type; a region that
///         is not there
[[nodiscard]] Outcome<SipCredentials> read_sip_info(std::string_view body,
                                                    const std::string& region);

}  // namespace offhook::signalling::ringcentral
