#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace offhook::model {

/// One SIP message as it passed the wire: what came, before anybody looked at it, or what left.
/// Untrusted when it came, and full of secrets (`Authorization`, SDES keys): who keeps or shows it
/// takes those out first.
struct SipWireMessage {
    bool is_inbound = false;       ///< from a peer
    std::int64_t realtime_ns = 0;  ///< CLOCK_REALTIME
    std::string transport;         ///< "udp", "tcp", "tls", "ws", "wss"
    std::string local, remote;     ///< "192.0.2.1:5060", "[2001:db8::1]:5060"
    std::string text;              ///< start line, headers and body
};

/// Told of every SIP message in and out, of all flows, retransmissions too; keep-alives are none.
/// Must return at once. @thread oh-sip
using SipWireTap = std::function<void(SipWireMessage)>;

}  // namespace offhook::model
