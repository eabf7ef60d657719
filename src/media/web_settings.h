#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sdp/web_remote.h"

namespace offhook::media {

/// One STUN or TURN server (RFC 7064, RFC 7065).
struct IceServer {
    std::string url;  ///< "stun:host:port", "turn:host:port?transport=udp", "turns:..."
    std::string username, credential;  ///< TURN only; the credential is a secret
};

/// What all web legs of the process share.
struct WebSettings {
    std::vector<IceServer> ice_servers{};
    std::vector<std::string> addresses{};  ///< numeric, gathered from; empty: every interface but
                                           ///< loopback, or loopback when the peer is there
    std::uint16_t first_port = 0, last_port = 0;  ///< of host candidates; 0: the kernel chooses
    bool relay_only = false;                      ///< only TURN candidates, for tests and privacy
    sdp::CandidateRules candidates{};
    std::chrono::milliseconds gather_limit{2'000};    ///< then with what there is
    std::chrono::milliseconds connect_limit{15'000};  ///< from both descriptions to verified
    std::chrono::milliseconds vanish_after{4'000};  ///< nothing heard: the peer is said to be gone
    std::chrono::milliseconds vanish_end{10'000};  ///< and this much later the leg ends; 0: at once
};

}  // namespace offhook::media
