#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "signalling/sip/account_port.h"
#include "signalling/sip/dialog.h"
#include "signalling/sip/tcp_socket.h"
#include "signalling/sip/wire.h"

namespace offhook::signalling::sip {

/// Which way our messages go, and what we call ourselves on that way.
/// @thread sip
class Paths {
public:
    /// @param advertise  host for Contact and Via; empty: the local address of the flow
    /// @param allow      who gets service; a peer cannot aim a request of ours at anybody else
    Paths(const Wire& wire,
          TcpTransport& tcp,
          AccountPorts& accounts,
          std::string advertise,
          std::function<bool(const sockaddr*)> allow)
        : wire_(wire),
          tcp_(tcp),
          accounts_(accounts),
          advertise_(std::move(advertise)),
          allow_(std::move(allow)) {}

    /// Sends on the flow or, when a connection is gone, on the account's current flow, or on a new
    /// TCP connection (RFC 3261 §18.2.2).
    bool deliver(const Path& path, std::string_view bytes);
    /// Where a request of ours inside `dialog` goes: the account's current flow (RFC 5626 §5.3),
    /// else the connection the call came on, else the remote target.
    [[nodiscard]] Path for_dialog(const Dialog& dialog) const;
    /// "SIP/2.0/UDP 192.0.2.1:5060" for a request of ours on that flow.
    [[nodiscard]] std::string via_for(const Flow& flow) const;
    /// Our Contact on that flow, with angle brackets.
    [[nodiscard]] std::string contact_for(const Flow& flow) const;

private:
    [[nodiscard]] std::string host_port_for(const Flow& flow) const;

    const Wire& wire_;
    TcpTransport& tcp_;
    AccountPorts& accounts_;
    std::string advertise_;
    std::function<bool(const sockaddr*)> allow_;
};

}  // namespace offhook::signalling::sip
