#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace offhook::sdp::detail {

/// One a=candidate (RFC 8839 §5.1), as far as we use it: UDP, component 1.
struct Candidate {
    std::string foundation;
    std::uint32_t priority = 0;
    std::string address;  ///< numeric in its shortest form, or an mDNS name (RFC 8828 §5.2)
    std::uint16_t port = 0;
    std::string type;  ///< host, srflx, prflx, relay
    bool is_ipv6 = false;
    bool is_mdns = false;
    bool is_loopback = false;

    /// "candidate:...", put anew from what was read. The related address stays behind: it helps
    /// nobody to connect.
    [[nodiscard]] std::string text() const;
};

/// Reads what stands behind "a=candidate:", with or without that. Empty for what no leg of ours can use: TCP, component
/// 2, host names other than mDNS, addresses that no peer has (multicast, unspecified, broadcast,
/// link-local, a cloud's metadata service), anything broken.
[[nodiscard]] std::optional<Candidate> parse_candidate(std::string_view value);

}  // namespace offhook::sdp::detail
