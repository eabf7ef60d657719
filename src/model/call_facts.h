#pragma once

#include <string>
#include <utility>
#include <vector>

namespace offhook::model {

/// What a SIP request says about a call beyond who and where. Strings are bounded (<= 256
/// bytes). Signalling gives them NOT yet escaped; in a CallInfo they are.
struct CallFacts {
    std::string asserted_identity;       ///< P-Asserted-Identity (RFC 3325), the first value
    std::vector<std::string> diversion;  ///< Diversion (RFC 5806), newest first, <= 8
    std::vector<std::string> history;    ///< History-Info (RFC 7044), in order, <= 8
    std::string replaces;                ///< our id of the call this one replaced (RFC 3891)
    /// Other headers worth keeping, <= 16: X-*, P-* of the PBX, Call-Info, Alert-Info.
    std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace offhook::model
