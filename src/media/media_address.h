#pragma once

#include <string>

#include "base/error.h"

namespace offhook::media {

/// Where a call's RTP sockets are bound, and the address that our SDP names. Both numeric, of one
/// family.
struct MediaAddress {
    std::string bind;
    std::string advertise;

    /// A socket of one IP version cannot send to the other. Old-style hold (0.0.0.0, ::) names
    /// nobody, and so is within reach.
    [[nodiscard]] bool reaches(const std::string& remote) const;
};

/// What is known when a call needs its sockets. All numeric; empty: not known, not configured.
struct AddressFacts {
    std::string configured{};  ///< `[rtp] address`
    std::string advertise{};   ///< `[rtp] advertise`
    std::string learned{};     ///< by STUN
    std::string flow_local{};  ///< our side of the SIP flow the call came on
    std::string remote{};      ///< of the offer; empty: we offer
};

/// Chooses by the IP version that the offer needs (that of the flow when there is none):
///
///     bind       `[rtp] address`; a wildcard of it, of the family needed; else the flow's local
///                address (loopback stays loopback); else the one the kernel sends from to `remote`
///     advertise  `[rtp] advertise`; else what STUN told, unless we are on loopback; else `bind`;
///                for a wildcard the flow's local address, or the kernel's choice
///
/// @thread any; asks the kernel for a route, sends nothing
/// @errors Unsupported: `[rtp] address` is of the other IP version; Unavailable: no address of the
/// version the offer needs
[[nodiscard]] base::Result<MediaAddress> choose_media_address(const AddressFacts& facts);

}  // namespace offhook::media
