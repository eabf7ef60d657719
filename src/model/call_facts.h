#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace offhook::model {

/// What RingCentral tells a WebPhone about a call. Bounded like CallFacts; empty: not said.
struct RingCentralFacts {
    std::string party_id{}, session_id{};        ///< of its telephony API ("p-...-2", "s-...")
    std::vector<std::string> call_attributes{};  ///< "queue-call", "reject", "send-vm" ..., <= 16
    std::string queue_name{}, caller_id_name{};
    std::string caller{}, caller_name{};  ///< number and name of who calls
    std::string called{}, called_name{};  ///< of what was dialled
    std::string service_level{},
        service_level_ext{};  ///< SrvLvl, SrvLvlExt, not known what they mean
    std::string recording_url{};
    /// Whether voicemail, reject, forward and reply can be asked for: the INVITE brought a P-rc.
    bool has_control = false;
};

/// What a SIP request says about a call beyond who and where. Strings are bounded (<= 256
/// bytes). Signalling gives them NOT yet escaped; in a CallInfo they are.
struct CallFacts {
    std::string asserted_identity;       ///< P-Asserted-Identity (RFC 3325), the first value
    std::vector<std::string> diversion;  ///< Diversion (RFC 5806), newest first, <= 8
    std::vector<std::string> history;    ///< History-Info (RFC 7044), in order, <= 8
    std::string replaces;                ///< our id of the call this one replaced (RFC 3891)
    /// The PBX orders that the call be answered, this long after its INVITE; empty: it does not.
    std::optional<std::chrono::milliseconds> answer_after{};
    std::optional<RingCentralFacts> ringcentral{};
    /// Other headers worth keeping, <= 16: X-*, P-* of the PBX, Call-Info, Alert-Info.
    std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace offhook::model
